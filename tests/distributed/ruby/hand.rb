# frozen_string_literal: true

# A hand in Ruby: one process that does one thing to a spool, and tells its log of each call before and after it, as the
# hand in Rust does (../rust/src/hand/main.rs).

require_relative "log"

# What a hand can do.
class Hand
  WAIT = 0.2

  def initialize(log, spool)
    @log = log
    @spool = spool
  end

  def reserve(count)
    count.times do |i|
      name = "r-#{i}"
      @log.ask("reserve", name)
      reserve_one(name)
    end
  end

  def enqueue(count, most)
    count.times do |i|
      name = "e-#{@log.number}-#{i}"
      @log.call("reserve", name) { @spool.reserve(name) }
      @log.goes_on?("enqueue", name) do
        @spool.enqueue("incoming", data_of(name), metadata: i.even? ? "save" : "remove", name:)
      end
      linger(most)
    end
  end

  def work(limit, most)
    ended = 0
    @spool.reader("incoming") do |reader|
      until @log.stopped?
        @log.ask("dequeue", "-")
        checkout = dequeue(reader)
        next found_nothing unless checkout

        handle(checkout, most)
        break if (ended += 1) == limit
      end
    end
  end

  def keep
    @spool.reader("incoming") do |reader|
      @log.ask("dequeue", "-")
      checkout = reader.dequeue_available || raise("there is nothing to keep")
      @log.answer("done", checkout.name)
      @log.call("keep", checkout.name) { checkout.keep }
      @log.await_let_go
      finish(checkout)
    end
  end

  private

  def linger(most)
    sleep(rand(0..most) / 1000.0)
  end

  # It tells whose data it is.
  def data_of(name)
    "#{name}\n" * 100
  end

  def reserve_one(name)
    @spool.reserve(name)
    @log.answer("done", name)
  rescue Multispool::NameTakenError
    @log.answer("refused", name)
  rescue Multispool::Error => e
    @log.failed(name, e)
  end

  def dequeue(reader)
    reader.dequeue(timeout: WAIT)
  rescue Multispool::Error => e
    @log.failed("-", e)
  end

  def found_nothing
    @log.answer("nothing", "-")
    @log.ask("recover", "-")
    @log.answer("done", "-", @spool.recover.size.to_s)
  rescue Multispool::Error => e
    @log.failed("-", e)
  end

  def handle(checkout, most)
    @log.answer("done", checkout.name)
    return unless read(checkout)

    linger(most)
    @log.await_let_go
    return if rand(2).zero? && !@log.goes_on?("renew", checkout.name) { checkout.renew }

    finish(checkout)
  end

  # Whether the entry is still ours.
  def read(checkout)
    name = checkout.name
    @log.ask("read", name)
    data = checkout.data
    @log.answer(data == data_of(name) ? "done" : "torn", name)
    true
  rescue Multispool::LostOwnershipError
    @log.answer("lost", name)
    false
  rescue Multispool::Error => e
    @log.failed(name, e)
  end

  def finish(checkout)
    case checkout.metadata
    when "save" then @log.goes_on?("save", checkout.name) { checkout.save("done") }
    when "remove" then @log.goes_on?("remove", checkout.name) { checkout.remove }
    else raise "the metadata of #{checkout.name} are #{checkout.metadata.inspect}"
    end
  end
end

control, number, spool, verb, *arguments = ARGV
log = Log.new(control, number)
log.call("open", "-") { Multispool.load(spool, "incoming", "done") }.then do |opened|
  log.await_go
  Hand.new(log, opened).public_send(verb, *arguments.map { |argument| Integer(argument) })
end
