# frozen_string_literal: true

require "multispool"
require_relative "line"
require_relative "spools"
require_relative "entries"
require_relative "checkouts"
require_relative "readers"
require_relative "watch"

# The conformance suite's agent for Ruby: does each step by the gem.
class Agent
  include Spools
  include Entries
  include Checkouts
  include Readers
  include Watch

  # A handler that failed of itself.
  class HandlerFailed < StandardError; end

  # What the gem does not have: an entry's data comes from a stream or a file, and a daemon's spec is keyword arguments.
  LACKS = ["entry writers", "a daemon's spec"].freeze

  # Steps whose names are Ruby's own words, or methods of every object.
  OTHERWISE = { "next" => :next_event, "load" => :open_spool, "create" => :open_spool, "load_unsafe" => :open_spool,
                "checkout" => :take, "try_checkout" => :take, "try_with_entry" => :with_entry,
                "each" => :work, "each_available" => :work }.freeze

  def initialize
    reset(nil)
  end

  # Does a step, whatever comes of it.
  # @return [Line]
  def answer(step)
    known = step.word.match?(/\A[a-z_]+\z/)
    raise "unknown step #{step.word}" unless known && respond_to?(method = OTHERWISE.fetch(step.word, step.word))

    public_send(method, step)
  rescue Multispool::Error => e
    failure(e)
  rescue HandlerFailed => e
    Line.new("HANDLER_FAILED", ["message", e.message])
  rescue StandardError => e
    Line.new("ERROR", ["message", "#{e.class}: #{e.message}"])
  end

  def agent(_step)
    LACKS.inject(ok("language" => "Ruby")) { |line, word| line.with("lacks", word) }
  end

  # Lets go of everything.
  def reset(_step)
    @daemons&.each_value(&:close)
    @spools, @checkouts, @data_writers, @readers, @stops, @plans, @monitors, @daemons = Array.new(8) { {} }
    ok
  end

  def close(step)
    kind, name = step.values.first
    handles = { "spool" => @spools, "data_writer" => @data_writers, "reader" => @readers, "plan" => @plans,
                "monitor" => @monitors, "daemon" => @daemons }.fetch(kind)
    handles.delete(name).close
    ok
  end

  private

  # The answer to what is done.
  def ok(values = {})
    Line.new("OK", *values.to_a)
  end

  def failure(error)
    Line.new(status(error), ["message", error.message])
  end

  # The status's name.
  def status(error)
    Multispool::Status.constants.find { |name| Multispool::Status.const_get(name) == error.status }.to_s
  end

  # The handle that a step names.
  def hand(handles, step, key)
    handles.fetch(step[key]) { raise "no #{key} #{step[key].inspect}" }
  end

  def spool(step)
    hand(@spools, step, "spool")
  end

  # The durability that a step asks for, as a keyword argument.
  def durability(step)
    step["durability"]&.to_sym
  end

  # A time in seconds, nil if the step gives none.
  def seconds(step, key)
    step[key] && (Integer(step[key]) / 1000.0)
  end

  def yes_no(yes)
    yes ? "yes" : "no"
  end
end

if $PROGRAM_NAME == __FILE__
  $stdin.binmode
  $stdout.binmode
  hands = Agent.new
  $stdin.each_line(chomp: true) do |text|
    puts hands.answer(Line.parse(text))
    $stdout.flush
  end
end
