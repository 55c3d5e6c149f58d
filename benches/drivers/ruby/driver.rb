#!/usr/bin/env ruby
# frozen_string_literal: true

# The driver of the Ruby gem for tools/bench; the same roles as those of benches/drivers/c/roles.h.
#
#     ruby driver.rb PEER DURABILITY DIR ROLE ARGUMENT...
#
# DURABILITY is one of off, original, on.

require "multispool"
require_relative "figures"

# Plays one role on one spool.
class Driver
  # How long a consumer waits for one more message before it says that there are no more, in seconds.
  PATIENCE = 2
  METADATA = ("m" * 100).b.freeze
  DATA = ("d" * 1024).b.freeze

  def initialize(spool)
    @spool = spool
  end

  def put(count, seconds)
    Figures.report(count, seconds) { @spool.enqueue(:queue, DATA, metadata: METADATA) }
  end

  def get(count, seconds)
    reader = @spool.reader(:queue)
    Figures.report(count, seconds) do
      checkout = reader.dequeue(timeout: PATIENCE)
      checkout&.data
      checkout&.remove
      checkout
    end
  end

  def latp(count, pause)
    count.times do
      sleep(pause * 1e-6)
      @spool.enqueue(:queue, DATA, metadata: [Figures.now].pack("d") + METADATA[8..])
    end
  end

  def latc(count)
    reader = @spool.reader(:queue)
    # So that it waits, whatever is made when that is done first.
    raise "it is not empty" if reader.dequeue(timeout: 0.001)

    puts "ready"
    $stdout.flush
    Figures.report_latency(Array.new(count) { passed(reader.dequeue(timeout: 10 * PATIENCE)) })
  end

  def idle(seconds)
    raise "it is not empty" if @spool.reader(:queue).dequeue(timeout: seconds)

    puts JSON.generate(rss_kb: Figures.resident_kb("VmRSS"))
  end

  private

  # The time that a message was on its way.
  def passed(checkout)
    checkout.data
    time = Figures.now - checkout.metadata.unpack1("d")
    checkout.remove
    time
  end
end

abort "driver: started by tools/bench" if ARGV.size < 5

_, durability, dir, role, count, rest = ARGV
level = { "off" => :none, "original" => :original, "on" => :full }.fetch(durability)
abort "driver: unknown role #{role}" unless %w[put get latp latc idle].include?(role)
arguments = [count.to_i, rest&.to_f].compact
arguments << 1e9 if %w[put get].include?(role) && rest.nil?

Multispool.create(dir, "queue", durability: level) do |spool|
  Driver.new(spool).public_send(role, *arguments)
end
