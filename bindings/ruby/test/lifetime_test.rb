# frozen_string_literal: true

require_relative "spool_case"

class LifetimeTest < SpoolCase
  def test_a_closed_spool_is_refused_and_closing_again_does_nothing
    entry = put
    other = Multispool.load(dir, QUEUES)
    assert_nil other.close
    assert_nil other.close
    assert_predicate other, :closed?
    [-> { other.enqueue("incoming", "x") }, -> { other.enqueue("incoming", StringIO.new("x")) },
     -> { other.reserve }, -> { other.list("incoming").to_a }, -> { other.checkouts_unsafe("incoming").to_a },
     -> { other.entry("incoming", "x") }, -> { other.checkout("incoming", entry.name) }, lambda {
                                                                                           other.reader("incoming")
                                                                                         },
     -> { other.recover }, -> { other.repair }, -> { other.problems }, lambda {
                                                                         other.stats
                                                                       }].each do |use|
      assert_raises(
        Multispool::ClosedError, &use
      )
    end
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

  def test_everything_works_while_the_collector_runs_at_every_step
    GC.stress = true
    entry = spool.enqueue("incoming", "data", metadata: "m", durability: :none)
    entry.with_entry do |checkout|
      checkout.update { |metadata| "#{metadata}!" }
      checkout.data = "new"
      checkout.save("done")
    end
    spool.reader("done") do |reader|
      reader.each_available do |checkout|
        assert_equal ["m!", "new"], [checkout.metadata, checkout.data]
        checkout.remove
      end
      assert_nil reader.dequeue(timeout: 0.001)
    end
    assert_empty names("done")
    spool.stats
  ensure
    GC.stress = false
  end

  def test_moved_objects_are_still_found
    entries = Array.new(50) { put("data", metadata: "m") }
    checkouts = entries.map(&:checkout)
    GC.compact
    checkouts.each { |checkout| assert_equal %w[m data], [checkout.metadata, checkout.data] }
    checkouts.each(&:close)
    assert_equal entries.map(&:name), names("incoming")
  end

  def test_the_collector_during_other_threads_calls_hurts_nobody
    workers = Array.new(3) { Thread.new { 30.times { put(+"x" * rand(100), metadata: +"m") } } }
    GC.compact while workers.any?(&:alive?)
    workers.each(&:join)
    assert_equal 90, names("incoming").size
  end

  def test_nothing_keeps_descriptors
    use_everything
    GC.start
    before = descriptors
    20.times { use_everything }
    GC.start
    assert_operator descriptors, :<=, before + 2
  end

  def test_nothing_keeps_memory
    100.times { use_everything }
    GC.start
    before = resident
    300.times { use_everything }
    GC.start
    assert_operator resident - before, :<, 20_000_000
  end

  private

  def use_everything
    Multispool.load(dir, QUEUES, durability: :none) do |spool|
      entry = spool.enqueue("incoming", "x" * 10_000, metadata: "m" * 1000)
      spool.enqueue("incoming", StringIO.new("x"))
      entry.checkout { |checkout| checkout.write_data { |writer| writer << checkout.data } }
      spool.list("incoming").first.stat
      assert_raises(Multispool::MissingError) { spool.checkout("incoming", "ghost") }
      spool.reader("incoming") do |reader|
        reader.each(timeout: 0.001) { |checkout| checkout.data_io(&:read) && checkout.remove }
      end
      spool.stats
    end
  end

  def descriptors
    Dir.children("/proc/self/fd").size
  end

  # Bytes of this process in memory.
  def resident
    File.read("/proc/self/statm").split[1].to_i * 4096
  end
end
