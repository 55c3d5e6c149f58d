# frozen_string_literal: true

require_relative "handle"
require_relative "problem"

module Multispool
  # One thing that a repair does.
  # @!attribute [r] action
  #   @return [:remove_temporary, :remove_data, :adopt, :remove_reservation]
  # @!attribute [r] dir
  #   @return [Problem::Dir]
  # @!attribute [r] filename
  #   @return [String]
  RepairStep = Struct.new(:action, :dir, :filename) do
    # @param steps [FFI::Pointer] a list that stays its owner's
    # @api private
    def self.copied(steps)
      Array.new(Native.steps_count(steps)) do |at|
        kind = Native.steps_dir_kind(steps, at)
        dir = Problem::Dir.new(Problem::DIRS.fetch(kind, kind), Bytes.text(Native.steps_dir_queue(steps, at)),
                               Bytes.text(Native.steps_dir_name_on_disk(steps, at))).freeze
        action = Native.steps_action(steps, at)
        new(RepairPlan::ACTIONS.fetch(action, action), dir, Bytes.text(Native.steps_filename(steps, at))).freeze
      end.freeze
    end

    # @return [String] a line for people
    def to_s
      "#{action} #{dir.name_on_disk}/#{filename}"
    end
  end

  # What a repair would do; see {Spool#repair}. Any number of threads may use it, and forked children.
  class RepairPlan
    # The words for the library's numbers.
    ACTIONS = { 1 => :remove_temporary, 2 => :remove_data, 3 => :adopt, 4 => :remove_reservation }.freeze

    # @return [Array<RepairStep>] in the order in which they will be done
    attr_reader :steps

    # @api private
    def initialize(pointer, throttle)
      @handle = SharedHandle.new(pointer, "plan", throttle)
      @steps = RepairStep.copied(Native.plan_steps(pointer))
    end

    # Does the steps, each under the lock of its name and after another look: what has come to life since, or is being
    # worked on, is left alone.
    # @return [Array<RepairStep>] those that were done
    # @raise [Error] the first failure; {Error#failures} has all, {Error#repaired} what was done all the same
    def apply
      answer = @handle.step do |plan|
        Call.ask(RepairedPointer) { |out, error| Native.plan_apply(plan, out, error) }
      end
      raise answer.error unless answer.handle

      done, failures = take(answer.handle)
      raise answer.error.with_repaired(done, failures) if answer.error

      done
    end

    # Frees the plan; the spool is not touched. Closing again does nothing.
    # @return [nil]
    def close
      @handle.close
    end

    # @return [Boolean]
    def closed?
      @handle.closed?
    end

    # @return [String]
    def inspect
      "#<#{self.class} #{steps.size} steps#{' closed' if closed?}>"
    end

    private

    def take(repaired)
      failures = Array.new(Native.repaired_failure_count(repaired)) do |at|
        Call.describe(Native.repaired_failure(repaired, at))
      end
      [RepairStep.copied(Native.repaired_steps(repaired)), failures]
    ensure
      repaired.free
    end
  end
end
