#!/usr/bin/env ruby
# frozen_string_literal: true

# Works with several processes on the queue `incoming` of a spool: each saves the digest of an entry's data into its
# metadata, and the entry to `done`.
#
#     ruby preforking_worker.rb SPOOL [PROCESSES]
#
# A process that is killed is replaced, and the entry that it had goes to another; one that fails ends them all. SIGTERM
# and SIGINT let each process finish what it has in hand; so does the death of this one, whatever its reason. Each line
# of output begins with the number of the process that writes it.

$LOAD_PATH.unshift(File.expand_path("../../bindings/ruby/lib", __dir__))
require "multispool"
require "digest/sha2"

# The process that starts the others.
class Preforking
  def initialize(spool, processes)
    @spool = spool
    @processes = processes
    @children = {}
    # What this process waits for: a child that ended, or the signal to end.
    @events = Queue.new
    # Nobody writes to it: a child sees its end when its parent closes it, or is gone.
    @alive, @lifeline = IO.pipe
  end

  # @return [Boolean] whether all ended well after the signal
  def run
    %w[TERM INT].each { |signal| trap(signal) { @events << :stop } }
    @processes.times { start }
    sound = true
    until @children.empty?
      event = @events.pop
      event == :stop ? @lifeline.close : sound &= ended(*event)
    end
    sound
  end

  private

  def start
    pid = fork { work }
    @children[pid] = true
    Thread.new { @events << Process.wait2(pid) }
  end

  # @return [Boolean] whether it was meant to end, or was killed
  def ended(pid, status)
    @children.delete(pid)
    return status.success? if @lifeline.closed?

    if status.signaled?
      say "#{pid} is gone (#{status}): another takes its place"
      start
      return true
    end
    # Another would fail the same way, again and again.
    say "#{pid} failed (#{status}): the others end too"
    @lifeline.close
    false
  end

  # A child's life. The spool is the parent's handle, which works here too.
  def work
    @lifeline.close
    worker = Multispool::Worker.new(@spool, :incoming, threads: 2) { |checkout| digest(checkout) }
    Thread.new { (@alive.read || true) && worker.stop }
    say "works"
    worker.run
    say "ends"
  rescue Multispool::Error => e
    warn e.message
    exit 1
  end

  def digest(checkout)
    digest = Digest::SHA256.file(checkout.data_path).hexdigest
    # A worker that died between the two steps of its save has written the line already.
    checkout.update { |metadata| "#{metadata.sub(/\nsha256 \h{64}\z/n, '')}\nsha256 #{digest}" }
    checkout.save(:done)
    say "#{checkout.name} #{digest}"
  end

  # One write, so that lines of several processes stay whole.
  def say(line)
    $stdout.syswrite("#{Process.pid} #{line}\n")
  end
end

unless [1, 2].include?(ARGV.size) && Integer(ARGV.fetch(1, 4), exception: false)&.positive?
  warn "usage: preforking_worker.rb SPOOL [PROCESSES]"
  exit 2
end

begin
  spool = Multispool.load(ARGV[0], :incoming, :done)
  exit(Preforking.new(spool, Integer(ARGV.fetch(1, 4))).run)
rescue Multispool::Error => e
  warn e.message
  exit 1
end
