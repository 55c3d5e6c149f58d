# frozen_string_literal: true

require_relative "spool_case"
require_relative "tiny_scheduler"

class FiberTest < SpoolCase
  def test_other_fibers_run_while_one_waits_for_an_entry
    order = []
    in_fibers(
      -> { spool.reader("incoming") { |reader| reader.dequeue { |checkout| order << checkout.metadata } } },
      lambda do
        order << "other fiber"
        put("x", metadata: "arrived")
      end
    )
    assert_equal ["other fiber", "arrived"], order
  end

  def test_many_fibers_wait_in_one_thread_and_each_entry_goes_to_one
    made = Array.new(6) { |number| "entry-#{number}" }
    taken = []
    waiting = Array.new(6) do
      -> { spool.reader("incoming") { |reader| taken << reader.dequeue(timeout: PATIENCE) { |entry| done(entry) } } }
    end
    in_fibers(*waiting, -> { made.each { |name| put { name } } })
    assert_equal made, taken.sort
    assert_equal made, names("done")
  end

  def test_a_stop_ends_the_wait_of_a_fiber
    stop = Multispool::Stop.new
    ended = []
    in_fibers(-> { spool.reader("incoming") { |reader| ended << reader.dequeue(stop:) } }, -> { stop.trigger })
    assert_equal [nil], ended
  end

  def test_the_timeout_of_a_wait_ends_it
    ended = []
    in_fibers(-> { spool.reader("incoming") { |reader| ended << reader.dequeue(timeout: 0.02) } },
              -> { (ended << "other fiber") && sleep(0.001) })
    assert_equal ["other fiber", nil], ended
  end

  def test_timeout_ends_the_wait_of_a_fiber
    ended = []
    in_fibers(lambda do
      spool.reader("incoming") do |reader|
        assert_raises(Timeout::Error) { Timeout.timeout(0.02) { reader.dequeue } }
        ended << put.name
        assert_equal(ended.last, reader.dequeue(&:name))
      end
    end)
    assert_equal 1, ended.size
  end

  def test_closing_the_reader_ends_the_wait_of_a_fiber
    reader = spool.reader("incoming")
    ended = []
    in_fibers(-> { ended << assert_raises(Multispool::ClosedError) { reader.dequeue } }, -> { reader.close })
    assert_equal 1, ended.size
  end

  def test_a_fiber_that_waits_for_a_stop_lets_others_run
    stop = Multispool::Stop.new
    order = []
    in_fibers(-> { stop.wait && (order << "stopped") }, -> { (order << "other fiber") && stop.trigger })
    assert_equal ["other fiber", "stopped"], order
  end

  def test_a_fiber_that_watches_a_spool_lets_others_run
    stop = Multispool::Stop.new
    monitor = Multispool::Monitor.new(dir)
    order = []
    in_fibers(-> { monitor.each(stop:) { flunk } && (order << "stopped") },
              -> { (order << "other fiber") && stop.trigger })
    assert_equal ["other fiber", "stopped"], order
    monitor.close
  end

  private

  # @return the entry's name
  def done(checkout)
    checkout.save("done")
    checkout.name
  end

  # Runs each in a fiber of one thread, whose scheduler goes on until all have ended.
  def in_fibers(*works)
    thread = Thread.new do
      Fiber.set_scheduler(TinyScheduler.new)
      works.each { |work| Fiber.schedule(&work) }
    end
    thread.report_on_exception = false
    assert thread.join(PATIENCE), "the fibers hang"
  end
end
