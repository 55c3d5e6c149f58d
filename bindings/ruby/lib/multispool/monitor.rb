# frozen_string_literal: true

require_relative "daemon"
require_relative "event"
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

    # Looks again and again, and yields what comes and what goes; see {Daemon}. Each loop counts anew.
    # @param check_every (see Daemon#initialize)
    # @param alert_after_cycles (see Daemon#initialize)
    # @param stop (see Daemon#each)
    # @param on_error (see Daemon#each)
    # @yieldparam event [Event]
    # @return [self, Enumerator] after a stop
    # @raise (see Daemon#each)
    def each(check_every: nil, alert_after_cycles: nil, stop: nil, on_error: nil, &block)
      return enum_for(:each, check_every:, alert_after_cycles:, stop:, on_error:) unless block

      daemon(check_every:, alert_after_cycles:).each(stop:, on_error:, &block)
      self
    end

    # @param check_every (see Daemon#initialize)
    # @param alert_after_cycles (see Daemon#initialize)
    # @return [Daemon]
    # @raise (see Daemon#initialize)
    def daemon(check_every: nil, alert_after_cycles: nil)
      Daemon.new(self, check_every:, alert_after_cycles:)
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

    # Begins to check again and again.
    # @param options [FFI::Pointer] a daemon's
    # @return [Handle]
    # @api private
    def start(options)
      answer = @handle.use do |monitor|
        Call.handle(DaemonPointer) { |out, error| Native.daemon_start(monitor, options, out, error) }
      end
      Handle.new(answer.handle, "monitor")
    end
  end
end
