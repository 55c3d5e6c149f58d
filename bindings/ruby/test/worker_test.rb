# frozen_string_literal: true

require_relative "spool_case"

class WorkerTest < SpoolCase
  def test_it_works_on_what_is_there_and_on_what_comes
    3.times { put }
    worker = Multispool::Worker.new(spool, "incoming", threads: 2) { |checkout| checkout.save("done") }
    running = Thread.new { worker.run(signals: []) }
    eventually("three are done") { names("done").size == 3 }
    until_asleep(running)
    late = put.name
    eventually("the late one is done") { names("done").include?(late) }
    refute_predicate worker, :stopped?
    assert_same worker, worker.stop
    assert_same worker, running.value
    assert_predicate worker, :stopped?
  end

  def test_its_threads_work_at_once
    together = Queue.new
    go = Queue.new
    4.times { put }
    worker = Multispool::Worker.new(spool, "incoming", threads: 4) do |checkout|
      together << checkout.name
      go.pop
      checkout.remove
    end
    running = Thread.new { worker.run(signals: []) }
    Array.new(4) { together.pop }
    4.times { go << true }
    eventually("all are removed") { files == [".multispool/format"] }
    worker.stop
    running.join
  end

  def test_it_ends_when_nothing_came_for_the_timeout
    made = Array.new(20) { put.name }
    work(threads: 3, timeout: 0.05) { |checkout| checkout.save("done", durability: :none) }
    assert_equal made, names("done")
  end

  def test_an_exception_gives_the_entry_back_and_the_worker_goes_on
    bad = put("bad").name
    good = put("good").name
    told = []
    work(on_error: ->(error, checkout) { told << [error.message, checkout.name] }) do |checkout|
      raise "x" if checkout.data == "bad"

      checkout.save("done")
    end
    assert_equal [["x", bad]], told
    assert_equal [[bad], [good]], [names("incoming"), names("done")]
    assert_empty checked_out
  end

  def test_who_is_told_of_an_error_may_put_the_entry_elsewhere
    name = put.name
    work(on_error: ->(_error, checkout) { checkout.save("done") }) { raise NotImplementedError, "x" }
    assert_equal [name], names("done")
  end

  def test_errors_go_to_standard_error_unless_somebody_is_told
    name = put.name
    _, messages = capture_io { work { raise KeyError, "no such thing" } }
    assert_equal "multispool: incoming/#{name}: no such thing (KeyError)\n", messages
    _, messages = capture_io { work(on_error: ->(*) { raise "mine" }) { raise KeyError, "no such thing" } }
    assert_equal 2, messages.lines.size
    assert_includes messages, "mine (RuntimeError)"
  end

  def test_what_the_block_leaves_unfinished_goes_back
    name = put.name
    seen = 0
    work(retry_after: 60..60) do
      seen += 1
      next
    end
    assert_equal [1, [name]], [seen, names("incoming")]
  end

  def test_a_damaged_entry_is_told_and_stops_nobody
    bad = put.name
    good = put.name
    File.delete(File.join(dir, ".data", bad))
    told = []
    work(on_error: ->(error, checkout) { told << [error.class, checkout] }) { |checkout| checkout.save("done") }
    assert_equal [[Multispool::CorruptError, nil]], told
    assert_equal [good], names("done")
  end

  def test_a_block_that_breaks_or_returns_is_told_of_its_mistake
    put
    told = []
    work(on_error: ->(error, _) { told << error.class }) { break }
    assert_equal [LocalJumpError], told
  end

  def test_exit_in_the_block_ends_the_worker_and_gives_the_entry_back
    name = put.name
    assert_raises(SystemExit) { work { exit(3) } }
    assert_equal [name], names("incoming")
    assert_empty checked_out
  end

  def test_a_block_that_ends_its_thread_ends_the_worker
    name = put.name
    assert_raises(ThreadError) { work { Thread.exit } }
    assert_equal [name], names("incoming")
  end

  def test_a_queue_that_cannot_be_read_is_raised
    assert_raises(Multispool::UnknownQueueError) { Multispool::Worker.new(spool, "nope") { flunk }.run(signals: []) }
    FileUtils.rm_rf(File.join(dir, "incoming"))
    assert_raises(Multispool::MissingError) do
      Multispool::Worker.new(spool, "incoming", on_error: ->(*) {}) { flunk }.run(signals: [])
    end
  end

  def test_it_gives_back_what_dead_owners_held_at_its_start_and_when_the_queue_runs_empty
    first = put
    in_child { first.checkout && nil }
    seen = Queue.new
    worker = Multispool::Worker.new(spool, "incoming", recover_every: 1000) do |checkout|
      seen << checkout.name
      checkout.save("done")
    end
    running = Thread.new { worker.run(signals: []) }
    assert_equal first.name, seen.pop
    in_child { spool.entry("done", first.name).checkout && nil }
    second = put
    assert_equal second.name, seen.pop
    eventually("the first is back in its queue") { names("done").size == 2 }
    worker.stop
    running.join
  end

  def test_it_gives_back_what_dead_owners_held_every_so_often
    worker = Multispool::Worker.new(spool, "incoming", recover_every: 0.05) { |checkout| checkout.save("done") }
    running = Thread.new { worker.run(signals: []) }
    until_asleep(running)
    entry = spool.enqueue("done", "x")
    in_child { entry.checkout && nil }
    eventually("it is back") { checked_out("done").empty? }
    worker.stop
    running.join
  end

  def test_told_to_end_it_lets_the_block_finish
    put
    begun = Queue.new
    go = Queue.new
    worker = Multispool::Worker.new(spool, "incoming", threads: 1) do |checkout|
      begun << true
      go.pop
      checkout.save("done")
    end
    running = Thread.new { worker.run(signals: []) }
    begun.pop
    worker.stop
    put("not begun any more")
    go << true
    running.join
    assert_equal [1, 1], [names("done").size, names("incoming").size]
  end

  def test_a_block_that_is_not_done_in_time_is_ended_and_its_entry_goes_back
    name = put.name
    begun = Queue.new
    told = []
    cleaned = false
    worker = Multispool::Worker.new(spool, "incoming", drain: 0.05, on_error: ->(*args) { told << args }) do
      begun << true
      sleep
    rescue StandardError
      flunk
    ensure
      cleaned = true
    end
    running = Thread.new { worker.run(signals: []) }
    begun.pop
    worker.stop
    running.join
    assert cleaned
    assert_equal [Multispool::DrainError, nil], [told.first.first.class, told.first.last]
    assert_includes told.first.first.message, "incoming/#{name}"
    assert_equal [name], names("incoming")
    assert_empty checked_out
  end

  def test_a_timeout_around_it_ends_it_and_gives_back_what_is_in_hand
    name = put.name
    begun = Queue.new
    worker = Multispool::Worker.new(spool, "incoming") { (begun << true) && sleep }
    running = Thread.new { worker.run(signals: []) }
    begun.pop
    running.kill.join
    assert_equal [name], names("incoming")
    assert_empty checked_out
  end

  def test_sigterm_ends_it_when_what_is_in_hand_is_done
    made = Array.new(2) { put.name }
    output, input = IO.pipe
    pid = fork do
      output.close
      trap("TERM") { input.puts "the handler before" }
      worker = Multispool::Worker.new(spool, "incoming", threads: 1) do |checkout|
        input.puts "begun"
        sleep 0.01 until worker.stopped?
        checkout.save("done")
      end
      worker.run
      input.puts "drained"
      Process.kill("TERM", Process.pid)
      input.flush
      exit!(0)
    end
    input.close
    assert_equal "begun\n", output.gets
    Process.kill("TERM", pid)
    assert_equal "drained\n", output.gets
    assert_equal "the handler before\n", output.gets
    Process.wait(pid)
    assert_equal made, (names("done") + names("incoming")).sort
    assert_equal 1, names("done").size
  end

  def test_one_made_before_a_fork_works_in_the_child
    name = put.name
    worker = Multispool::Worker.new(spool, "incoming") { |checkout| checkout.save("done") }
    in_child { worker.run(timeout: 0) && nil }
    assert_equal [name], names("done")
    refute_predicate worker, :stopped?
  end

  def test_it_needs_a_block_and_a_thread
    assert_raises(ArgumentError) { Multispool::Worker.new(spool, "incoming") }
    assert_raises(ArgumentError) { Multispool::Worker.new(spool, "incoming", threads: 0) { flunk } }
    worker = Multispool::Worker.new(spool, "incoming") { flunk }
    assert_equal "#<Multispool::Worker incoming threads: 4>", worker.inspect
  end

  private

  # Until nothing is left to do.
  def work(timeout: 0.02, **options, &block)
    Multispool::Worker.new(spool, "incoming", **options, &block).run(signals: [], timeout:)
  end
end
