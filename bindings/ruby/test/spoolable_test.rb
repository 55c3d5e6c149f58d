# frozen_string_literal: true

require_relative "spool_case"

class SpoolableTest < SpoolCase
  # Lets one step after another go on, and counts them.
  class Gate
    attr_reader :steps

    def initialize
      @lock = Mutex.new
      @steps = 0
    end

    def call
      @lock.synchronize do
        @steps += 1
        yield
      end
    end

    # How many steps the block takes.
    def count
      before = steps
      yield
      steps - before
    end
  end

  def test_it_opens_spools_with_its_queues
    jobs = Multispool::Spoolable.new(:todo, "done", metadata: :json)
    there = File.join(work, "jobs")
    assert_raises(Multispool::MissingError) { jobs.load(there) }
    assert_equal(:value, jobs.create(there, owners: :mixed) { :value })
    jobs.load(there, read_only: true) do |spool|
      assert_equal %w[done todo], spool.queues
      assert_predicate spool, :read_only?
      assert_same jobs, spool.spoolable
    end
    jobs.load_unsafe(there).close
    assert_equal "#<Multispool::Spoolable queues: todo, done metadata: Multispool::Codec::JSON " \
                 "data: Multispool::Codec::Bytes>", jobs.inspect
  end

  def test_an_option_that_is_not_known_is_an_argument_error
    jobs = Multispool::Spoolable.new(QUEUES)
    assert_raises(ArgumentError) { jobs.create(dir, read_only: true) }
    assert_raises(ArgumentError) { jobs.load(dir, owners: :mixed) }
    assert_raises(ArgumentError) { jobs.load(dir, colour: "red") }
  end

  def test_names_come_from_its_generator
    numbers = 0.step
    typed(names: ->(attempt) { "job-#{numbers.next}-#{attempt}" }) do |spool|
      assert_equal "job-0-0", spool.enqueue("incoming", "x").name
      assert_equal "job-1-0", spool.enqueue("incoming", StringIO.new("x")).name
      assert_equal "job-2-0", spool.reserve
      assert_equal "mine", spool.enqueue("incoming", "x", name: spool.reserve("mine")).name
      assert_equal "block", spool.enqueue("incoming", "x") { "block" }.name
      assert_equal "job-3-0", spool.enqueue("incoming", "x").name
    end
  end

  def test_a_block_names_the_entry_and_is_asked_again_while_its_names_are_taken
    put { "name-0" }
    attempts = []
    entry = put do |attempt|
      attempts << attempt
      "name-#{attempt}"
    end
    assert_equal ["name-1", [0, 1]], [entry.name, attempts]
    assert_raises(Multispool::NamesExhaustedError) { put { "name-0" } }
    assert_raises(Multispool::InvalidNameError) { put { "a/b" } }
  end

  def test_an_unknown_queue_costs_no_name
    assert_raises(Multispool::UnknownQueueError) { spool.enqueue("nope", "x") { flunk } }
  end

  def test_every_step_on_the_disk_goes_through_its_throttle
    gate = Gate.new
    typed(throttle: gate) do |spool|
      assert_equal 1, gate.steps
      assert_through(gate) { @entry = spool.enqueue("incoming", "x", metadata: "m") }
      steps_of_a_spool(spool).each { |step| assert_through(gate, &step) }
      @entry.checkout { |checkout| steps_of_a_checkout(checkout).each { |step| assert_through(gate, &step) } }
      assert_equal(0, gate.count { spool.entry("incoming", "x") && spool.queues && spool.inspect })
    end
  end

  def test_whoever_waits_for_an_entry_holds_no_place
    gate = Gate.new
    typed(throttle: gate) do |spool|
      spool.reader("incoming") do |reader|
        waiter = Thread.new { reader.dequeue(timeout: PATIENCE, &:name) }
        until_asleep(waiter)
        assert_equal spool.enqueue("incoming", "x").name, waiter.value
      end
    end
  end

  def test_a_throttle_that_never_calls_its_block_is_told
    error = assert_raises(Multispool::InvalidArgumentError) { typed(throttle: ->(&_step) {}) { flunk } }
    assert_includes error.message, "call each block once"
  end

  def test_a_throttle_that_calls_its_block_twice_takes_one_step
    typed(throttle: ->(&step) { Array.new(2) { step.call } }) { |spool| spool.enqueue("incoming", "x") }
    assert_equal 1, names("incoming").size
  end

  private

  def typed(**options, &)
    Multispool::Spoolable.new(QUEUES, **options).load(dir, durability: :none, &)
  end

  def assert_through(gate, &step)
    assert_operator gate.count(&step), :>=, 1, "line #{step.source_location.last}"
  end

  def steps_of_a_spool(spool)
    [-> { spool.mode }, -> { spool.lease }, -> { spool.list("incoming").first.stat },
     -> { spool.checkouts_unsafe("incoming").to_a }, -> { spool.reserve },
     -> { spool.recover }, -> { spool.problems }, -> { spool.stats }, -> { spool.repair }, -> { spool.repair.apply },
     -> { spool.reader("incoming").dequeue_available(&:name) }, -> { @entry.stat }, -> { @entry.direct.contents },
     -> { @entry.direct.save("n") }, -> { @entry.direct.data_file.load }, -> { @entry.direct.data_file.stat },
     -> { spool.enqueue("incoming", "x").direct.remove },
     -> { spool.enqueue("incoming", StringIO.new("x")).checkout(&:remove) },
     -> { spool.enqueue("incoming", Pathname(__FILE__)).checkout { |checkout| checkout.save("done") } }]
  end

  def steps_of_a_checkout(checkout)
    [-> { checkout.data }, -> { checkout.data = "y" }, -> { checkout.data_io(&:read) }, -> { checkout.data_file.stat },
     -> { checkout.data = StringIO.new("z") }, -> { checkout.write_data { |writer| writer << "w" } },
     -> { checkout.renew }, -> { checkout.save("done") }]
  end
end
