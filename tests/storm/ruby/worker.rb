# frozen_string_literal: true

# Takes entries out of a queue, changes them and moves them on, for ever, and tells its log before and after each step:
#
#     ruby worker.rb SPOOL LOG PROCESS SEED DURABILITY QUEUE
#
# Recovers now and then. Exit status: 1 something happened that must not.

require_relative "told"

# One entry in hand.
class Session
  def initialize(checkout, number)
    @checkout = checkout
    metadata = checkout.metadata
    @record = Told::Record.new(session: number, serial: metadata[/\A[\d.]+(?=\n)/], name: checkout.name,
                               queue: checkout.queue, metadata: Told.sum(metadata))
    @record.note("taken")
    raise "metadata without a serial number: #{metadata.inspect}" unless @record.serial
  end

  def handle
    @record.data = Told.sum(@checkout.data)
    @record.note("read")
    Told.linger(40)
    change_data if Told.below(4).zero?
    Told.linger(40)
    finish(Told.below(100))
  end

  private

  def maker
    "#{Told.process}.#{@record.session}"
  end

  def change_data
    data = Told.data(@record.serial, maker)
    @record.data = Told.sum(data)
    @record.note("writing")
    if Told.below(2).zero?
      @checkout.data = data
    else
      write_in_pieces(Told.halves(data))
    end
    @record.note("written")
  end

  def write_in_pieces(pieces)
    @checkout.write_data do |writer|
      pieces.each do |piece|
        Told.linger(40)
        writer << piece
      end
    end
  end

  def finish(roll)
    queue = @checkout.queue
    if roll < 80 && queue == "outgoing"
      told("removing", "removed") { @checkout.remove }
    elsif roll < 95
      add_hop(roll < 88 ? following(queue) : queue)
      told("saving", "saved") { @checkout.save(@record.queue) }
    else
      # A release drops the change.
      add_hop(queue)
      told("releasing", "released") { @checkout.release }
    end
  end

  def told(before, after)
    @record.note(before)
    yield
    @record.note(after)
  end

  # Adds a hop's line to the metadata.
  def add_hop(target)
    @checkout.update { |metadata| "#{metadata}#{maker} #{@checkout.queue} #{target}\n" }
    @record.metadata = Told.sum(@checkout.metadata)
    @record.queue = target
  end

  # A name that is used again and again is removed in the end.
  def following(queue)
    return "middle" unless queue == "middle"

    Told.below(2).zero? || @record.name.start_with?("again-") ? "outgoing" : "done"
  end
end

RECOVER_EVERY = 16

def recover(spool)
  Told::Record.new.note("recovering")
  spool.recover.each { |entry| Told::Record.new(name: entry.name, queue: entry.queue).note("recovered") }
end

*common, queue = ARGV
Told.begin(*common) do |spool|
  recover(spool)
  spool.reader(queue, retry_after: 0.05..0.5) do |reader|
    session = 0
    loop do
      taken = reader.dequeue(timeout: 0.1) do |checkout|
        Session.new(checkout, session += 1).handle
        true
      end
      recover(spool) if !taken || (session % RECOVER_EVERY).zero?
    end
  end
end
