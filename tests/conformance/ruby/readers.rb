# frozen_string_literal: true

# Steps about readers and stops.
module Readers
  def reader(step)
    first = seconds(step, "retry_after_ms")
    retry_after = first && (first..(2 * first))
    @readers[step["as"]] = spool(step).reader(step["queue"], retry_after:, strict_order: step["strict_order"] == "yes")
    ok
  end

  def dequeue(step)
    stop = step["stop"] && hand(@stops, step, "stop")
    checkout = hand(@readers, step, "reader").dequeue(stop:, timeout: seconds(step, "timeout_ms"))
    taken(step, checkout, stop&.triggered? ? "STOPPED" : "TIMED_OUT")
  end

  def dequeue_available(step)
    taken(step, hand(@readers, step, "reader").dequeue_available, "EMPTY")
  end

  # Works through what is there, or through as many entries as are asked for, when a stop ends the loop.
  def work(step)
    line = ok
    stop = step["stop"] && hand(@stops, step, "stop")
    ways = step.word == "each" ? { stop: } : {}
    left = step["count"].to_i
    begin
      hand(@readers, step, "reader").public_send(step.word, on_error: ->(_) { line = line.with("corrupt", "yes") },
                                                            **ways) do |checkout|
        line = line.with("metadata", checkout.metadata)
        stop&.trigger if (left -= 1).zero?
        decide(step, checkout)
      end
    rescue Agent::HandlerFailed
      line = line.with("failed", "yes")
      retry
    end
    line
  end

  def stop(step)
    @stops[step["as"]] = Multispool::Stop.new
    ok
  end

  def trigger(step)
    hand(@stops, step, "stop").trigger
    ok
  end
end
