# frozen_string_literal: true

# A monitor that goes on checking in a thread, and whose events are asked for one by one.
class Watcher
  def initialize(monitor, **options)
    @events = Thread::Queue.new
    @stop = Multispool::Stop.new
    @thread = Thread.new do
      monitor.each(stop: @stop, on_error: @events.method(:push), **options) { |event| @events.push(event) }
    end
  end

  # @return [Multispool::Event, Multispool::Error, nil] nil when the time is over or the stop triggered
  def next(seconds, stop)
    deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
    while @events.empty? && !stop&.triggered?
      return if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline

      sleep 0.002
    end
    @events.pop unless @events.empty?
  end

  def close
    @stop.trigger
    @thread.join
  end
end

# Steps about what is wrong with a spool.
module Watch
  def problems(step)
    all(spool(step).problems(limits: limits(step)))
  end

  def monitor(step)
    @monitors[step["as"]] = Multispool::Monitor.new(step["dir"], limits: limits(step))
    ok
  end

  def run_once(step)
    all(hand(@monitors, step, "monitor").run_once)
  end

  def daemon(step)
    cycles = step["alert_after_cycles"]&.to_i
    @daemons[step["as"]] = Watcher.new(hand(@monitors, step, "monitor"), alert_after_cycles: cycles,
                                                                         check_every: seconds(step, "check_every_ms"))
    ok
  end

  def next_event(step)
    stop = step["stop"] && hand(@stops, step, "stop")
    event = hand(@daemons, step, "daemon").next(seconds(step, "timeout_ms"), stop)
    raise event if event.is_a?(Multispool::Error)
    return Line.new(stop&.triggered? ? "STOPPED" : "TIMED_OUT") unless event

    ok("event" => event.kind, "problem" => problem(event.problem))
  end

  def limits_json(step)
    ok("json" => limits(step).to_json)
  end

  def limits_from_json(step)
    ok("json" => Multispool::Limits.from_json(step["json"].dup.force_encoding("UTF-8")).to_json)
  end

  def spec_from_json(step)
    ok("json" => Multispool::Monitor.from_json(step["json"].dup.force_encoding("UTF-8")).to_json)
  end

  private

  def limits(step)
    given = {
      max_checked_out_age: seconds(step, "max_checked_out_age_ms"),
      max_tmp_file_age: seconds(step, "max_tmp_file_age_ms"),
      max_reservation_age: seconds(step, "max_reservation_age_ms"),
      min_free_bytes: step["min_free_bytes"]&.to_i, min_free_inodes: step["min_free_inodes"]&.to_i
    }
    given[:max_queue_ages] = { step["max_queue"] => seconds(step, "max_queue_age_ms") } if step["max_queue"]
    Multispool::Limits.new(**given)
  end

  def all(problems)
    problems.inject(ok) { |line, one| line.with("problem", problem(one)) }
  end

  # "KIND SEVERITY MEND PLACE/NAME..."
  def problem(problem)
    places = problem.dirs.map do |dir|
      problem.kind == :directory_missing ? dir.name_on_disk.b : "#{dir.name_on_disk.b}/#{problem.filename.b}"
    end
    [problem.kind, problem.severity, problem.action, *places].join(" ")
  end
end
