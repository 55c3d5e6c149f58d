# frozen_string_literal: true

require_relative "spool_case"
require "fcntl"

class ReaderTest < SpoolCase
  def test_entries_are_taken_in_the_order_of_their_names
    made = Array.new(5) { put.name }
    spool.reader("incoming") do |reader|
      assert_equal "incoming", reader.queue
      assert_same spool, reader.spool
      taken = Array.new(5) do
        reader.dequeue_available do |checkout|
          checkout.save("done")
          checkout.name
        end
      end
      assert_equal made, taken
      assert_nil reader.dequeue_available
    end
  end

  def test_dequeue_without_a_block_returns_the_checkout
    name = put.name
    spool.reader("incoming") do |reader|
      checkout = reader.dequeue(timeout: PATIENCE)
      assert_equal name, checkout.name
      assert_equal [name], checked_out
      checkout.remove
    end
  end

  def test_dequeue_waits_for_an_arrival
    spool.reader("incoming") do |reader|
      waiter = Thread.new { reader.dequeue(timeout: PATIENCE, &:name) }
      until_asleep(waiter)
      name = put.name
      assert_equal name, waiter.value
    end
  end

  def test_a_wait_that_timed_out_loses_nothing
    spool.reader("incoming") do |reader|
      assert_nil reader.dequeue(timeout: 0)
      assert_nil reader.dequeue(timeout: 0.01)
      name = put.name
      assert_equal(name, reader.dequeue(timeout: PATIENCE, &:name))
    end
  end

  def test_each_goes_on_until_stopped
    3.times { put }
    stop = Multispool::Stop.new
    seen = []
    spool.reader("incoming") do |reader|
      worker = Thread.new do
        reader.each(stop:) do |checkout|
          seen << checkout.name
          checkout.remove
        end
      end
      eventually("three entries") { seen.size == 3 }
      late = put.name
      eventually("the late one") { seen.last == late }
      until_asleep(worker)
      stop.trigger
      assert_same reader, worker.value
    end
    assert_equal [".multispool/format"], files
  end

  def test_each_ends_when_none_came_for_the_timeout
    2.times { put }
    seen = 0
    spool.reader("incoming") do |reader|
      reader.each(timeout: 0.01) do |checkout|
        seen += 1
        checkout.remove
      end
    end
    assert_equal 2, seen
  end

  def test_a_stop_that_was_triggered_before_takes_nothing
    put
    stop = Multispool::Stop.new.trigger
    spool.reader("incoming") do |reader|
      assert_nil reader.dequeue(stop:)
      reader.each(stop:) { flunk }
    end
    assert_equal 1, names("incoming").size
  end

  def test_a_stop_ends_the_waits_of_many
    stop = Multispool::Stop.new
    readers = Array.new(4) { spool.reader("incoming") }
    waiters = readers.map { |reader| Thread.new { reader.dequeue(stop:) } }
    waiters.each { |waiter| until_asleep(waiter) }
    stop.trigger
    assert_equal [nil] * 4, waiters.map(&:value)
    readers.each(&:close)
  end

  def test_each_available_tries_each_entry_once_and_does_not_wait
    made = Array.new(3) { put.name }
    seen = []
    spool.reader("incoming") do |reader|
      assert_same(reader, reader.each_available { |checkout| seen << checkout.name })
      assert_equal made, seen
      assert_equal made, names("incoming")
    end
  end

  def test_next_break_and_exceptions_give_the_entry_back
    name = put.name
    [->(reader) { reader.each_available { next } },
     ->(reader) { reader.each { break } },
     ->(reader) { reader.dequeue { break } },
     ->(reader) { assert_raises(RuntimeError) { reader.each { raise "x" } } },
     ->(reader) { assert_raises(RuntimeError) { reader.dequeue_available { raise "x" } } },
     lambda(&:first)].each do |step|
      spool.reader("incoming", &step)
      assert_equal [name], names("incoming")
      assert_empty checked_out
    end
  end

  def test_a_reader_is_enumerable
    made = Array.new(3) { put.name }
    spool.reader("incoming") do |reader|
      assert_kind_of Enumerator, reader.each
      assert_equal made, reader.each_available.map(&:name)
    end
    spool.reader("incoming") { |reader| assert_equal made.first(2), reader.lazy.map(&:name).first(2) }
  end

  def test_readers_in_threads_share_a_queue_and_take_each_entry_once
    made = Array.new(200) { put.name }
    taken = Array.new(4) do
      Thread.new do
        mine = []
        spool.reader("incoming") do |reader|
          reader.each(timeout: 0.1) do |checkout|
            mine << checkout.name
            checkout.remove(durability: :none)
          end
        end
        mine
      end
    end.flat_map(&:value)
    assert_equal made.sort, taken.sort
  end

  def test_one_reader_in_many_threads_takes_each_entry_once
    made = Array.new(100) { put.name }
    spool.reader("incoming") do |reader|
      taken = Array.new(4) do
        Thread.new do
          mine = []
          reader.each(timeout: 0.1) do |checkout|
            mine << checkout.name
            checkout.remove(durability: :none)
          end
          mine
        end
      end.flat_map(&:value)
      assert_equal made.sort, taken.sort
    end
  end

  def test_other_threads_run_while_one_waits
    spool.reader("incoming") do |reader|
      waiter = Thread.new { reader.dequeue(timeout: PATIENCE, &:remove) }
      until_asleep(waiter)
      assert_equal 1000, Thread.new { 1000.times.count }.value
      assert_predicate waiter, :alive?
      put
      waiter.join
    end
  end

  # A busy name is tried for 100 ms inside the library. The name is set free by a thread that runs only if the call lets
  # it; should the machine be slower than that, it is tried again.
  def test_other_threads_run_while_one_is_in_a_native_call
    name = put.name
    spool.reader("incoming") do |reader|
      taken = Array.new(20) do
        File.open(File.join(dir, ".registry", name), "r+") do |file|
          lock(file)
          calling = Queue.new
          worker = Thread.new { calling.push(true) && reader.dequeue_available(&:name) }
          calling.pop
          file.close
          worker.value
        end
      end
      assert_includes taken, name
    end
  end

  def test_a_wait_costs_no_processor_time
    spool.reader("incoming") do |reader|
      reader.dequeue(timeout: 0)
      before = Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID)
      reader.dequeue(timeout: 1)
      assert_operator Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID) - before, :<, 0.2
    end
  end

  def test_a_bad_entry_is_told_by_its_path_and_stops_nobody
    bad = put.name
    good = put.name
    File.delete(File.join(dir, ".data", bad))
    spool.reader("incoming") do |reader|
      error = assert_raises(Multispool::CorruptError) { reader.dequeue_available }
      assert_includes error.path, bad
      assert_equal(good, reader.dequeue_available(&:name))
    end
    told = []
    seen = []
    spool.reader("incoming") do |reader|
      reader.each_available(on_error: ->(problem) { told << problem.path }) { |checkout| seen << checkout.name }
    end
    assert_equal [good], seen
    assert_equal 1, told.size
    assert_includes told.first, bad
  end

  def test_a_corrupt_error_of_the_block_is_not_taken_for_a_bad_entry
    put
    spool.reader("incoming") do |reader|
      assert_raises(Multispool::CorruptError) do
        reader.each_available(on_error: ->(_) { flunk }) { raise Multispool::CorruptError, "mine" }
      end
    end
  end

  def test_options_are_accepted_and_checked
    spool.reader("incoming", retry_after: 0.001..0.01, poll_interval: 0.5, durability: :none) do |reader|
      name = put.name
      reader.dequeue(&:release)
      assert_equal(name, reader.dequeue(timeout: PATIENCE, &:name))
    end
    assert_raises(Multispool::InvalidArgumentError) { spool.reader("incoming", durability: :some) }
    [2..1, 1, 1.., "a".."b"].each do |range|
      assert_raises(Multispool::InvalidArgumentError) { spool.reader("incoming", retry_after: range) }
    end
  end

  def test_a_reader_that_is_to_keep_the_order_goes_on_with_the_next_name
    entries = Array.new(12) { put }
    spool.reader("incoming", strict_order: true) do |reader|
      entries.each_slice(2) do |entry, after|
        assert_equal(entry.name, reader.dequeue_available.name)
        # Another is quicker with the one after it.
        after.checkout
      end
    end
  end

  def test_an_unknown_queue_has_no_reader
    assert_raises(Multispool::UnknownQueueError) { spool.reader("nope") }
    assert_raises(Multispool::InvalidNameError) { spool.reader("nul\0") }
  end

  def test_a_closed_reader_is_refused
    reader = spool.reader("incoming")
    assert_nil reader.close
    assert_nil reader.close
    assert_predicate reader, :closed?
    [-> { reader.dequeue }, -> { reader.dequeue_available }, -> { reader.each { flunk } },
     -> { reader.each_available { flunk } }].each { |use| assert_raises(Multispool::ClosedError, &use) }
  end

  def test_closing_a_reader_ends_the_wait_of_another_thread
    reader = spool.reader("incoming")
    stop = Multispool::Stop.new
    waiters = [Thread.new { reader.dequeue }, Thread.new { reader.dequeue(stop:) }]
    waiters.each do |waiter|
      waiter.report_on_exception = false
      until_asleep(waiter)
    end
    reader.close
    waiters.each { |waiter| assert_raises(Multispool::ClosedError) { waiter.value } }
  end

  def test_closing_a_reader_at_any_moment_ends_the_waits_of_other_threads
    500.times do
      reader = spool.reader("incoming")
      waiters = Array.new(2) { Thread.new { reader.dequeue } }
      waiters.each do |waiter|
        waiter.report_on_exception = false
        until_asleep(waiter)
      end
      reader.close
      waiters.each { |waiter| assert_raises(Multispool::ClosedError) { waiter.join(PATIENCE) || flunk("it waits") } }
    end
  end

  def test_a_reader_outlives_its_spool
    name = put.name
    other = Multispool.load(dir, QUEUES)
    reader = other.reader("incoming")
    other.close
    assert_equal(name, reader.dequeue_available(&:name))
    reader.close
  end

  private

  # As an owner does: an open file description lock for writing, on the whole file.
  def lock(file)
    set_description_lock = 37
    file.fcntl(set_description_lock, [Fcntl::F_WRLCK, IO::SEEK_SET, 0, 0, 0].pack("ssx4qqix4"))
  end
end
