# frozen_string_literal: true

# Enqueues entries into `incoming` and tells its log before and after each:
#
#     ruby producer.rb SPOOL LOG PROCESS SEED DURABILITY COUNT NAMES
#
# Some are enqueued whole, some as a stream, some under one of NAMES names that are used again and again.
# Exit status: 0 done, 1 something happened that must not.

require_relative "told"

# The data as a stream that takes its time.
class Pieces
  def initialize(bytes)
    @pieces = Told.halves(bytes)
  end

  def read(_limit)
    Told.linger(10)
    @pieces.shift
  end
end

# Enqueues one entry after another.
class Producer
  def initialize(spool, names)
    @spool = spool
    @names = names
  end

  def produce(number)
    serial = "#{Told.process}.#{number}"
    @metadata = "#{serial}\n"
    @data = Told.data(serial, serial)
    @record = Told::Record.new(session: number, serial:, queue: "incoming", metadata: Told.sum(@metadata),
                               data: Told.sum(@data))
    case Told.below(4)
    when 0 then enqueue(Pieces.new(@data))
    when 1 then enqueue_again || enqueue(@data)
    else enqueue(@data)
    end
  end

  private

  def enqueue(data, name: nil)
    @record.note("enqueuing")
    @record.name = @spool.enqueue(:incoming, data, metadata: @metadata, name:).name
    @record.note("enqueued")
  end

  # @return [Boolean] false where the name is in use
  def enqueue_again
    name = reserve or return false
    Told.linger(100)
    @record.name = name
    enqueue(@data, name:)
    true
  rescue Multispool::NotFoundError, Multispool::NameTakenError
    # A repair took the reservation for old, and perhaps another has made it anew.
    @record.note("refused")
    true
  end

  def reserve
    @spool.reserve("again-#{Told.below(@names)}")
  rescue Multispool::NameTakenError
    nil
  end
end

*common, count, names = ARGV
Told.begin(*common) do |spool|
  producer = Producer.new(spool, Integer(names))
  1.upto(Integer(count)) do |number|
    producer.produce(number)
    Told.linger(10)
  end
end
