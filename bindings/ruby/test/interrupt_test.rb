# frozen_string_literal: true

require_relative "spool_case"
require "English"
require "pty"
require "rbconfig"

class InterruptTest < SpoolCase
  class Strike < StandardError; end

  LIB = File.expand_path("../lib", __dir__)

  # How soon each ends a wait, at its best: another process may have the processor now and then.
  def test_whatever_ends_a_wait_ends_it_at_once
    endings = { kill: ->(waiter, _) { waiter.kill }, raise: ->(waiter, _) { waiter.raise(Strike) },
                stop: ->(_, stop) { stop.trigger } }
    spool.reader("incoming") do |reader|
      endings.each { |what, ending| assert_operator quickest { seconds_to_end(reader, ending) }, :<, 0.2, what }
      timeout = -> { assert_raises(Timeout::Error) { Timeout.timeout(0.05) { reader.dequeue } } }
      assert_operator quickest { seconds(&timeout) }, :<, 0.25
    end
  end

  def test_timeout_ends_a_wait
    spool.reader("incoming") do |reader|
      assert_raises(Timeout::Error) { Timeout.timeout(0.05) { reader.dequeue } }
      assert_raises(Timeout::Error) { Timeout.timeout(0.05) { reader.dequeue(stop: Multispool::Stop.new) } }
      assert_raises(Timeout::Error) { Timeout.timeout(0.05) { reader.each { flunk } } }
      name = put.name
      assert_equal(name, reader.dequeue(&:name))
    end
  end

  def test_killing_a_thread_ends_its_wait
    spool.reader("incoming") do |reader|
      waiter = Thread.new { reader.dequeue }
      until_asleep(waiter)
      waiter.kill
      assert_same waiter, waiter.join(PATIENCE)
      name = put.name
      assert_equal(name, reader.dequeue(&:name))
    end
  end

  def test_killing_a_thread_gives_back_what_it_held
    name = put.name
    holding = Queue.new
    spool.reader("incoming") do |reader|
      worker = Thread.new do
        reader.each do |checkout|
          holding << checkout
          sleep
        end
      end
      holding.pop
      worker.kill.join
    end
    assert_equal [name], names("incoming")
    assert_empty checked_out
  end

  def test_ctrl_c_ends_a_wait
    script = <<~RUBY
      trap("INT", "DEFAULT") # which is ignored where a shell started the tests in the background
      Multispool.load(ARGV[0], "incoming") do |spool|
        spool.reader("incoming") { |reader| (puts "waiting") || reader.dequeue }
      end
    RUBY
    PTY.spawn(RbConfig.ruby, "-I", LIB, "-r", "multispool", "-e", script, dir) do |output, input, pid|
      assert_equal "waiting", output.gets.chomp
      input.write("\C-c")
      assert_includes output.gets, "^C"
      output.each_line { nil } # to its end
    rescue Errno::EIO
      Process.wait(pid)
      assert_equal Signal.list["INT"], $CHILD_STATUS.termsig
    end
  end

  def test_a_signal_ends_a_wait
    output, input = IO.pipe
    pid = fork do
      output.close
      trap("INT", "DEFAULT")
      spool = Multispool.load(dir, QUEUES)
      spool.reader("incoming") do |reader|
        input.puts "waiting"
        reader.dequeue
      end
    rescue Interrupt
      input.puts "interrupted"
      exit!(0)
    end
    input.close
    assert_equal "waiting\n", output.gets
    Process.kill("INT", pid)
    assert_equal "interrupted\n", output.gets
    Process.wait(pid)
  end

  def test_a_trap_may_trigger_a_stop
    output, input = IO.pipe
    pid = fork do
      output.close
      stop = Multispool::Stop.new
      trap("TERM") { stop.trigger }
      spool = Multispool.load(dir, QUEUES)
      spool.reader("incoming") do |reader|
        input.puts "waiting"
        reader.each(stop:) { |checkout| checkout.save("done") }
      end
      input.puts "stopped"
      exit!(0)
    end
    input.close
    assert_equal "waiting\n", output.gets
    name = put.name
    eventually("the entry is done") { names("done") == [name] }
    Process.kill("TERM", pid)
    assert_equal "stopped\n", output.gets
    Process.wait(pid)
  end

  # 10,000 in all, in processes that take each other's entries.
  def test_exceptions_at_any_moment_leave_no_entry_owned_and_no_lock_held
    made = Array.new(20) { put.name }
    in_children(2) do
      spool.reader("incoming", retry_after: 0.001..0.001) do |reader|
        strike(5_000) { reader.dequeue(timeout: 0.001) { |checkout| work_on(checkout) } }
      end
    end
    assert_unowned made
  end

  def test_exceptions_at_any_moment_in_each_leave_no_entry_owned
    made = Array.new(20) { put.name }
    strike(500) do
      spool.reader("incoming", retry_after: 0.001..0.001) do |reader|
        reader.each(timeout: 0.001) do |checkout|
          work_on(checkout)
        end
      end
    end
    assert_unowned made
  end

  def test_an_exception_at_the_beginning_of_a_wait_does_not_hold_up_the_close
    reader = spool.reader("incoming")
    lock = reader.send(:arrivals).instance_variable_get(:@lock)
    strikes = 1
    lock.define_singleton_method(:synchronize) do |&block|
      super(&block).tap { Thread.current.raise(Strike) unless (strikes -= 1).negative? }
    end
    assert_raises(Strike) { reader.dequeue }
    closing = Thread.new { reader.close }
    assert closing.join(PATIENCE), "the close hangs"
  end

  def test_exceptions_at_any_moment_in_a_checkout_leave_it_released
    entry = put
    strike(1_000) { entry.try_checkout { |checkout| work_on(checkout) } }
    assert_unowned [entry.name]
  end

  def test_exceptions_at_any_moment_in_enqueue_leave_whole_entries_only
    strike(300) { work_on(put(StringIO.new("x" * 1000))) }
    whole = names("incoming")
    assert_equal whole, Dir.children(File.join(dir, ".data")).sort
    assert_equal whole, Dir.children(File.join(dir, ".registry")).sort
    assert_empty Dir.children(File.join(dir, ".tmp"))
  end

  def test_exceptions_at_any_moment_in_a_data_writer_leave_whole_data
    put("x" * 10).checkout do |checkout|
      strike(500) { checkout.write_data { |writer| work_on(writer << ("y" * 10)) } }
      assert_match(/\A(x{10}|y{10})\z/, checkout.data)
    end
    assert_empty Dir.children(File.join(dir, ".tmp"))
  end

  private

  def seconds
    before = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    yield
    Process.clock_gettime(Process::CLOCK_MONOTONIC) - before
  end

  def seconds_to_end(reader, ending)
    stop = Multispool::Stop.new
    waiter = Thread.new { reader.dequeue(stop:) }
    waiter.report_on_exception = false
    until_asleep(waiter)
    seconds do
      ending.call(waiter, stop)
      waiter.join
    rescue Strike
      nil
    end
  end

  def quickest(&)
    Array.new(5, &).min
  end

  # What a handler does.
  def work_on(_checkout)
    Thread.pass
    @worked += 1
  end

  # Runs the block over and over in a thread, and raises in that thread at moments that chance chooses.
  # Some of the work must get done all the same.
  def strike(times, &)
    @worked = struck = 0
    ready = Queue.new
    worker = Thread.new do
      Thread.handle_interrupt(Strike => :never) do
        ready << true
        while struck < times || (@worked < 10 && struck < 20 * times)
          begin
            Thread.handle_interrupt(Strike => :immediate) { loop(&) }
          rescue Strike
            struck += 1
          end
        end
      end
    rescue Strike
      nil
    end
    ready.pop
    aim(worker)
    worker.join
    assert_operator struck, :>=, times
    assert_operator @worked, :>=, 10
  end

  # One exception at a time. A pause is no wait for anything: its length is where the blow falls. Work that is never
  # done is longer than the pauses (a slow disk): they grow until the blows fall on all of it.
  def aim(worker)
    reach = 0.0005
    blows = done = 0
    while worker.alive?
      worker.raise(Strike) unless worker.pending_interrupt?
      sleep(rand * reach)
      next unless ((blows += 1) % 20).zero?

      reach *= 2 if @worked == done
      done = @worked
    end
  end

  # All are in the queue, and whoever wants them gets them.
  def assert_unowned(made)
    assert_empty checked_out
    assert_equal made, names("incoming")
    in_child { Multispool.load(dir, QUEUES) { |spool| spool.list("incoming").map { |entry| entry.checkout(&:name) } } }
  end
end
