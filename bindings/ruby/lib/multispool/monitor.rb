# frozen_string_literal: true

require_relative "handle"
require_relative "problem"

module Multispool
  # Looks at a spool for what is wrong with it. It only reads, owns nothing, and is safe beside live workers: a busy,
  # healthy spool has no problem. For one thread at a time, and not for forked children.
  #
  # As an Enumerable it yields events for ever: what comes, and what goes.
  class Monitor
    include Enumerable

    # @return [String] the spool's directory
    attr_reader :dir
    # @return [Limits]
    attr_reader :limits

    # @param text [String] JSON, as from {#to_json}; the limits, or some of them, may be left out
    # @return [Monitor]
    # @raise [InvalidArgumentError, InvalidNameError, MissingError, NotASpoolError, PermissionError, IOError]
    def self.from_json(text)
      json = Bytes.json(text, "monitor")
      limits = nil
      dir = Call.buffer do |out, error|
        limits = Call.handle(LimitsPointer) { |given, _| Native.monitor_spec_from_json(json, out, given, error) }.handle
        Status::OK
      end
      new(Bytes.text_of(dir), limits: Limits.owning(limits))
    end

    # @param dir [String, Pathname] a spool; a monitor never creates one
    # @param limits [Limits]
    # @raise [MissingError, NotASpoolError, UnsupportedError, PermissionError, IOError]
    def initialize(dir, limits: Limits.new)
      @dir = Bytes.text_of(Bytes.path(dir, "monitor").dup)
      @limits = limits
      path = Bytes.c_string(Bytes.path(dir, "monitor"))
      Call.masked do
        pointer = Call.handle(MonitorPointer) do |out, error|
          Native.monitor_create(path, limits.pointer, out, error)
        end.handle
        @handle = Handle.new(pointer, "monitor")
      end
    end

    # Looks once.
    # @return [Array<Problem>] in order
    # @raise [PermissionError, MissingError, IOError, ForkedError, ClosedError]
    def run_once
      Problem.take(@handle.use do |pointer|
        Call.handle(ProblemsPointer) { |out, error| Native.monitor_run_once(pointer, out, error) }.handle
      end)
    end

    # Looks again and again, and yields what comes and what goes; of one check the ends come before the starts. Each
    # loop counts anew.
    # @param check_every [Numeric, nil] the pause between two checks, in seconds; nil: 15. It is at least five times as
    #   long as the check took, unless it is 0
    # @param alert_after_cycles [Integer, nil] a problem starts when more checks in a row have seen it; nil: 2
    # @param stop [Stop, nil] ends the loop
    # @param on_error [#call, nil] is told of each check that failed, and the next one is made all the same; nil: the
    #   failure is raised, and ends the loop
    # @yieldparam event [Event]
    # @return [self, Enumerator] after a stop
    # @raise [ForkedError, ClosedError, PermissionError, MissingError, IOError]
    def each(check_every: nil, alert_after_cycles: nil, stop: nil, on_error: nil)
      return enum_for(:each, check_every:, alert_after_cycles:, stop:, on_error:) unless block_given?

      daemon = start(check_every, alert_after_cycles)
      begin
        until stop&.triggered?
          event = attempt(daemon, on_error)
          event ? yield(event) : rest(daemon, stop)
        end
      ensure
        daemon.close
      end
      self
    end

    # @return [String] what it looks at and by which limits, in one line, for other languages too
    # @raise [InvalidArgumentError] the path, or a queue's name, is not UTF-8
    def to_json(*)
      path = Bytes.path(dir, "monitor")
      Bytes.text_of(Call.buffer { |out, error| Native.monitor_spec_to_json(path, limits.pointer, out, error) })
    end

    # Frees the monitor; a loop that is under way goes on. Closing again does nothing.
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
      "#<#{self.class} #{dir.inspect}#{' closed' if closed?}>"
    end

    private

    def start(check_every, alert_after_cycles)
      Options.open(:daemon, check_every_ms: check_every, alert_after_cycles:) do |options|
        @handle.use do |monitor|
          Call.masked do
            pointer = Call.handle(DaemonPointer) { |out, error| Native.daemon_start(monitor, options, out, error) }
            Handle.new(pointer.handle, "monitor")
          end
        end
      end
    end

    # @return [Event, nil] nil where no check is due
    def attempt(daemon, on_error)
      answer = daemon.use do |pointer|
        Call.ask(EventPointer) { |out, error| Native.daemon_next(pointer, nil, 0, out, error) }
      end
      return answer.handle && Event.take(answer.handle) unless answer.error
      raise answer.error if on_error.nil? || answer.error.is_a?(ForkedError)

      on_error.call(answer.error)
      nil
    end

    # Sleeps in Ruby's own hands until the next check is due.
    def rest(daemon, stop)
      seconds = daemon.use { |pointer| Native.daemon_until_check_ms(pointer) } / 1000.0
      stop ? stop.wait(seconds) : sleep(seconds)
    end
  end
end
