# frozen_string_literal: true

require_relative "spool_case"
require "open3"
require "rbconfig"

class LifetimeTest < SpoolCase
  LIB = File.expand_path("../lib", __dir__)

  STRESS = <<~RUBY
    GC.stress = 1 # minor collections: those of all that is alive take minutes
    entry = spool.enqueue("incoming", "data", metadata: "m")
    entry.with_entry do |checkout|
      checkout.update { |metadata| "\#{metadata}!" }
      checkout.data = "new"
      checkout.save("done")
    end
    spool.reader("done") do |reader|
      reader.each_available do |checkout|
        puts "\#{checkout.metadata} \#{checkout.data}"
        checkout.remove
      end
      reader.dequeue(timeout: 0.001)
    end
    spool.stats
    spool.problems
    begin
      spool.checkout("incoming", "ghost")
    rescue Multispool::MissingError => e
      e.message
    end
    spool.close
  RUBY

  def test_a_closed_spool_is_refused_and_closing_again_does_nothing
    entry = put
    other = Multispool.load(dir, QUEUES)
    assert_nil other.close
    assert_nil other.close
    assert_predicate other, :closed?
    uses = [-> { other.enqueue("incoming", "x") }, -> { other.enqueue("incoming", StringIO.new("x")) },
            -> { other.reserve }, -> { other.list("incoming").to_a }, -> { other.checkouts_unsafe("incoming").to_a },
            -> { other.entry("incoming", "x") }, -> { other.checkout("incoming", entry.name) },
            -> { other.reader("incoming") }, -> { other.recover }, -> { other.repair }, -> { other.problems },
            -> { other.stats }]
    uses.each { |use| assert_raises(Multispool::ClosedError, &use) }
    assert_equal dir, other.dir
    assert_includes other.inspect, "closed"
  end

  def test_entries_and_checkouts_outlive_their_spool
    other = Multispool.load(dir, QUEUES)
    entry = other.enqueue("incoming", "data", metadata: "m", durability: :none)
    checkout = entry.checkout
    other.close
    assert_equal "data", checkout.data
    checkout.save("incoming")
    assert_equal "m", entry.direct.contents
  end

  def test_closing_a_spool_under_working_threads_hurts_nobody
    other = Multispool.load(dir, QUEUES)
    workers = Array.new(4) do
      Thread.new do
        loop { other.enqueue("incoming", "x", durability: :none) }
      rescue Multispool::ClosedError
        :closed
      end
    end
    eventually("they work") { names("incoming").size > 20 }
    other.close
    assert_equal [:closed] * 4, workers.map(&:value)
  end

  def test_a_handle_that_is_closed_under_a_call_is_freed_with_its_last_call
    pointer = Struct.new(:freed) { def free = self.freed += 1 }.new(0)
    handle = Multispool.const_get(:SharedHandle).new(pointer, "spool")
    handle.use do
      handle.use { handle.close }
      handle.close
      assert_equal 0, pointer.freed
      assert_raises(Multispool::ClosedError) { handle.use { flunk } }
    end
    assert_equal 1, pointer.freed
  end

  # In a process of its own, since each step of the collector walks all that is alive.
  def test_everything_works_while_the_collector_runs_at_every_step
    assert_equal "m! new\n", script(STRESS)
    assert_equal [".multispool/format"], files
  end

  # In a process of its own: moved classes are lost to the extension of rbs, which the signatures are read with.
  def test_moved_objects_are_still_found
    assert_equal "true true\n", script(<<~RUBY)
      entries = Array.new(50) { spool.enqueue("incoming", "data", metadata: "m") }
      checkouts = entries.map(&:checkout)
      GC.verify_compaction_references(toward: :empty) # moves all that can be moved
      found = checkouts.all? { |checkout| [checkout.metadata, checkout.data] == %w[m data] }
      checkouts.each(&:close)
      puts "\#{found} \#{spool.list("incoming").to_a == entries}"
    RUBY
  end

  def test_the_collector_during_other_threads_calls_hurts_nobody
    assert_equal "90\n", script(<<~RUBY)
      workers = Array.new(3) do
        Thread.new { 30.times { spool.enqueue("incoming", +"x" * rand(100), metadata: +"m") } }
      end
      GC.compact while workers.any?(&:alive?)
      workers.each(&:join)
      puts spool.list("incoming").count
    RUBY
  end

  private

  # @return what it printed
  def script(text)
    prologue = 'spool = Multispool.load(ARGV[0], "incoming", "done", durability: :none)'
    output, status = Open3.capture2e(RbConfig.ruby, "-I", LIB, "-r", "multispool", "-e", prologue, "-e", text, dir)
    assert_predicate status, :success?, output
    output
  end
end
