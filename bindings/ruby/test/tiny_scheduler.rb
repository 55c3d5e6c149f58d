# frozen_string_literal: true

# A fiber scheduler, as small as one can be that waits for IOs, other threads and the time, and ends waits by timeouts.
class TinyScheduler
  def initialize
    @waiting = {}   # fiber => [IO, events]
    @deadlines = {} # fiber => when to go on in any case
    @timeouts = {}  # [fiber, exception] => when to raise it there
    @blocked = {}   # fiber => true
    @unblocked = Queue.new
    @bell, @rope = IO.pipe
  end

  def fiber(&)
    Fiber.new(blocking: false, &).tap(&:resume)
  end

  def io_wait(io, events, timeout)
    @waiting[Fiber.current] = [io, events]
    pause(timeout) ? events : false
  ensure
    @waiting.delete(Fiber.current)
  end

  def kernel_sleep(duration = nil)
    pause(duration)
  end

  def block(_blocker, timeout = nil)
    @blocked[Fiber.current] = true
    pause(timeout)
  ensure
    @blocked.delete(Fiber.current)
  end

  # From any thread.
  def unblock(_blocker, fiber)
    @unblocked << fiber
    @rope.write_nonblock("\0", exception: false)
  end

  def timeout_after(seconds, kind, message)
    timeout = [Fiber.current, kind.new(message)]
    @timeouts[timeout] = now + seconds
    yield seconds
  ensure
    @timeouts.delete(timeout)
  end

  def run
    turn until [@waiting, @deadlines, @blocked].all?(&:empty?)
  end
  alias close run

  private

  # Lets each fiber go on that has something to go on with.
  def turn
    (wait + unblocked).uniq.select(&:alive?).each { |fiber| fiber.resume(true) }
    overdue(@deadlines).select(&:alive?).each { |fiber| fiber.resume(false) }
    overdue(@timeouts).each { |fiber, exception| fiber.raise(exception) if fiber.alive? }
  end

  # @return whether it was over before the time
  def pause(timeout)
    @deadlines[Fiber.current] = now + timeout if timeout
    Fiber.yield
  ensure
    @deadlines.delete(Fiber.current)
  end

  # @return the fibers whose IO is ready
  def wait
    soonest = (@deadlines.values + @timeouts.values).min
    ios = @waiting.values.map(&:first)
    readable, = IO.select(ios + [@bell], nil, nil, soonest && [soonest - now, 0].max)
    @bell.read_nonblock(100, exception: false)
    @waiting.select { |_, (io, _)| readable&.include?(io) }.keys
  end

  def unblocked
    Array.new(@unblocked.size) { @unblocked.pop }.select { |fiber| @blocked[fiber] }
  end

  def overdue(deadlines)
    deadlines.select { |_, at| at <= now }.each_key { |key| deadlines.delete(key) }.keys
  end

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end
