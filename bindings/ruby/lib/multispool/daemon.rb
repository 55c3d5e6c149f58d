# frozen_string_literal: true

require_relative "event"
require_relative "options"

module Multispool
  # A monitor that goes on checking, as an Enumerable of what comes and what goes. It has no thread and no process: it
  # checks in the thread that walks it, and is at rest between two checks. Each walk counts anew.
  class Daemon
    include Enumerable

    # @return [Monitor]
    attr_reader :monitor
    # @return [Float] the pause between two checks, in seconds
    attr_reader :check_every
    # @return [Integer] a problem starts when more checks in a row than this have seen it
    attr_reader :alert_after_cycles

    # @param monitor [Monitor]
    # @param text [String] JSON, as from {#to_json}; what is left out has its default
    # @return [Daemon]
    # @raise [InvalidArgumentError]
    def self.from_json(monitor, text)
      json = Bytes.json(text, "monitor")
      pointer = Call.handle(DaemonOptionsPointer) { |out, error| Native.daemon_options_from_json(json, out, error) }
      allocate.tap { |daemon| daemon.send(:take, monitor, pointer.handle) }
    end

    # @param monitor [Monitor]
    # @param check_every [Numeric, nil] the pause between two checks, in seconds; nil: 15. It is at least five times as
    #   long as the check took, unless it is 0
    # @param alert_after_cycles [Integer, nil] a problem starts when more checks in a row have seen it; nil: 2
    # @raise [InvalidArgumentError] a negative time
    def initialize(monitor, check_every: nil, alert_after_cycles: nil)
      take(monitor, Options.build(:daemon, { check_every_ms: check_every, alert_after_cycles: }.compact))
    end

    # Checks again and again, and yields what comes and what goes; of one check the ends come before the starts.
    # @param stop [Stop, nil] ends the walk
    # @param on_error [#call, nil] is told of each check that failed, and the next one is made all the same; nil: the
    #   failure is raised, and ends the walk
    # @yieldparam event [Event]
    # @return [self, Enumerator] after a stop
    # @raise [ForkedError, ClosedError, PermissionError, MissingError, IOError]
    def each(stop: nil, on_error: nil)
      return enum_for(:each, stop:, on_error:) unless block_given?

      handle = monitor.start(@options)
      begin
        until stop&.triggered?
          event = attempt(handle, on_error)
          event ? yield(event) : rest(handle, stop)
        end
      ensure
        handle.close
      end
      self
    end

    # @return [String] how often it checks, and from when on it tells, in one line, for other languages too
    def to_json(*)
      Bytes.text_of(Call.buffer { |out, error| Native.daemon_options_to_json(@options, out, error) })
    end

    # @return [String]
    def inspect
      "#<#{self.class} #{monitor.dir.inspect} every #{check_every} s>"
    end

    private

    def take(monitor, options)
      @monitor = monitor
      @options = options
      @check_every = Native.daemon_options_check_every_ms(options) / 1000.0
      @alert_after_cycles = Native.daemon_options_alert_after_cycles(options)
    end

    # @return [Event, nil] nil where no check is due
    def attempt(handle, on_error)
      answer = handle.use do |pointer|
        Call.ask(EventPointer) { |out, error| Native.daemon_next(pointer, nil, 0, out, error) }
      end
      return answer.handle && Event.take(answer.handle) unless answer.error
      raise answer.error if on_error.nil? || answer.error.is_a?(ForkedError)

      on_error.call(answer.error)
      nil
    end

    # Sleeps in Ruby's own hands until the next check is due.
    def rest(handle, stop)
      seconds = handle.use { |pointer| Native.daemon_until_check_ms(pointer) } / 1000.0
      stop ? stop.wait(seconds) : sleep(seconds)
    end
  end
end
