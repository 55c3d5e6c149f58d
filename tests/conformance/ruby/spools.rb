# frozen_string_literal: true

# Steps about a whole spool.
module Spools
  # How a step's words become options.
  OPENING = { "durability" => :to_sym.to_proc, "mode" => :to_sym.to_proc, "owners" => :to_sym.to_proc,
              "file_mode" => ->(word) { word.to_i(8) }, "dir_mode" => ->(word) { word.to_i(8) },
              "max_concurrent" => :to_i.to_proc, "read_only" => ->(word) { word == "yes" },
              "allow_world_writable" => ->(word) { word == "yes" } }.freeze

  def open_spool(step)
    options = OPENING.filter_map { |key, read| [key.to_sym, read.call(step[key])] if step[key] }.to_h
    @spools[step["as"]] = Multispool.public_send(step.word, step["dir"], *step.all("queue"), **options)
    ok
  end

  def discover(step)
    Multispool.discover(step["dir"]).inject(ok) { |line, queue| line.with("queue", queue) }
  end

  def describe(step)
    spool = spool(step)
    line = ok("dir" => spool.dir, "durability" => spool.durability, "read_only" => yes_no(spool.read_only?))
    spool.queues.inject(line) { |told, queue| told.with("queue", queue) }
  end

  def recover(step)
    recovered(ok, spool(step).recover(min_age: seconds(step, "min_age_ms"), durability: durability(step)))
  rescue Multispool::Error => e
    recovered(failure(e), e.recovered)
  end

  def plan(step)
    plan = spool(step).repair(min_age: seconds(step, "min_age_ms"), to: step["to"])
    @plans[step["as"]] = plan
    repaired(ok, plan.steps)
  end

  def apply(step)
    repaired(ok, hand(@plans, step, "plan").apply)
  rescue Multispool::Error => e
    repaired(failure(e), e.repaired)
  end

  def stats(step)
    counted = spool(step).stats(bytes: step["bytes"] == "yes").queues.find { |its| its.queue.b == step["queue"] }
    line = ok("entries" => counted.entries, "alive" => counted.checked_out_alive, "dead" => counted.checked_out_dead,
              "oldest" => yes_no(counted.oldest_age))
    return line unless counted.metadata_bytes

    line.with("metadata_bytes", counted.metadata_bytes).with("data_bytes", counted.data_bytes)
  end

  private

  def recovered(line, entries)
    entries.inject(line) { |told, entry| told.with("entry", "#{entry.queue.b}/#{entry.name.b}") }
  end

  def repaired(line, steps)
    steps.inject(line) do |told, step|
      told.with("step", "#{step.action} #{step.dir.name_on_disk.b}/#{step.filename.b}")
    end
  end
end
