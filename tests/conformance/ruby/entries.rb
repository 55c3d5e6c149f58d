# frozen_string_literal: true

require "pathname"

# Steps about entries in their queues.
module Entries
  def reserve(step)
    ok("name" => spool(step).reserve(step["name"]))
  end

  def enqueue(step)
    spool = spool(step)
    spool.reserve(step["name"]) if step["reserve"]
    data = step["path"] ? Pathname.new(step["path"]) : step["data"].to_s
    place(spool.enqueue(step["queue"], data, metadata: step["metadata"].to_s, name: step["name"],
                                             durability: durability(step)))
  end

  def list(step)
    spool(step).list(step["queue"]).inject(ok) { |line, entry| line.with("entry", entry.name) }
  end

  def entry(step)
    place(named(step))
  end

  def stat(step)
    times(named(step).stat)
  end

  def direct_contents(step)
    ok("metadata" => named(step).direct.contents)
  end

  def direct_save(step)
    named(step).direct.save(step["metadata"])
    ok
  end

  def direct_remove(step)
    named(step).direct.remove
    ok
  end

  def with_entry(step)
    line = nil
    handled = named(step).public_send(step.word) do |checkout|
      line = ok("metadata" => checkout.metadata, "data" => checkout.data)
      checkout.data = step["data"] if step["data"]
      decide(step, checkout)
      true
    end
    handled ? line : Line.new("NOT_FOUND")
  end

  private

  # The entry that a step is about.
  def named(step)
    spool(step).entry(step["queue"], step["name"])
  end

  def place(entry)
    ok("queue" => entry.queue, "name" => entry.name)
  end

  def times(stat)
    ok("mtime_ns" => (stat.mtime.to_i * 1_000_000_000) + stat.mtime.nsec, "size" => stat.size)
  end

  # Does with a checkout what the step says.
  def decide(step, checkout)
    case step["outcome"]
    when "save"
      checkout.metadata = step["metadata"] if step["metadata"]
      checkout.save(step["to"])
    when "remove" then checkout.remove
    when "release" then checkout.release
    else raise Agent::HandlerFailed, "the handler failed"
    end
  end
end
