# frozen_string_literal: true

# Steps about checkouts, their data, and what is written piece by piece.
module Checkouts
  def take(step)
    taken(step, named(step).public_send(step.word, durability: durability(step)), "NOT_FOUND")
  end

  def list_checkouts(step)
    line = ok
    spool(step).checkouts_unsafe(step["queue"]).each do |checkout|
      line = line.with("entry", checkout.name)
      @checkouts[step["as"]] = checkout if step["take"] && step["take"] == checkout.name.b
    end
    line
  end

  def show(step)
    checkout = hand(@checkouts, step, "checkout")
    told(checkout).with("finished", yes_no(checkout.finished?))
  end

  def update(step)
    hand(@checkouts, step, "checkout").update { |_| step["metadata"] }
    ok
  end

  def save(step)
    hand(@checkouts, step, "checkout").save(step["queue"], durability: durability(step))
    ok
  end

  def remove(step)
    hand(@checkouts, step, "checkout").remove(durability: durability(step))
    ok
  end

  def release(step)
    hand(@checkouts, step, "checkout").release
    ok
  end

  # Leaves an unfinished checkout to the garbage collector, since to close it would give it back.
  def drop(step)
    spool, queue = let_go(step)
    before = owned(spool, queue)
    1000.times do
      # What is left of it on the stack goes with the next calls.
      Array.new(100) { Object.new }
      GC.start
      return ok if owned(spool, queue) < before
    end
    raise "the checkout is not collected"
  end

  def data_path(step)
    ok("path" => file(step).path)
  end

  def data_load(step)
    ok("data" => file(step).load)
  end

  def data_stat(step)
    times(file(step).stat)
  end

  def data_save(step)
    file(step).save(step["data"])
    ok
  end

  def begin_data(step)
    @data_writers[step["as"]] = file(step).writer
    ok
  end

  def write(step)
    hand(@data_writers, step, "data_writer") << step["data"]
    ok
  end

  def commit(step)
    hand(@data_writers, step, "data_writer").commit
    ok
  end

  private

  # Keeps a checkout, and tells what it is; the other status if there is none.
  def taken(step, checkout, otherwise)
    return Line.new(otherwise) unless checkout

    @checkouts[step["as"]] = checkout
    told(checkout)
  end

  def told(checkout)
    ok("queue" => checkout.queue, "name" => checkout.name, "metadata" => checkout.metadata)
  end

  def let_go(step)
    checkout = hand(@checkouts, step, "checkout")
    @checkouts.delete(step["checkout"])
    [checkout.spool, checkout.queue]
  end

  # How many entries of a queue have an owner that lives.
  def owned(spool, queue)
    spool.stats.queues.find { |counted| counted.queue == queue }.checked_out_alive
  end

  # The data of the checkout or the entry that a step is about.
  def file(step)
    step["checkout"] ? hand(@checkouts, step, "checkout").data_file : named(step).direct.data_file
  end
end
