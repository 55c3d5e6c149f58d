# frozen_string_literal: true

require_relative "arrivals"

module Multispool
  # When a worker gives back the entries of dead owners: every so often, and when its queue runs empty.
  # @api private
  class Recovery
    # For how long a queue must have given nothing to count as empty, in seconds.
    RAN_EMPTY = 0.01

    # @param every [Numeric] seconds
    # @yield [error] a recover that failed; the next one comes
    def initialize(spool, every, &failed)
      @spool = spool
      @every = every
      @failed = failed
      @looking = Mutex.new
      @due = Arrivals.now
      @idle = true
    end

    # An entry was taken: the queue may run empty again.
    def worked
      @idle = false
    end

    # @return [Numeric] for how many seconds a wait may go on before a look is due
    def pause
      until_due = [@due - Arrivals.now, 0].max
      @idle ? until_due : [RAN_EMPTY, until_due].min
    end

    # Looks, if the time has come, or if the queue ran empty, unless another thread does.
    # @param empty [Boolean] a wait gave nothing
    def look(empty: false)
      return unless (empty && !@idle) || Arrivals.now >= @due
      return unless @looking.try_lock

      begin
        @idle = true if empty
        @due = Arrivals.now + @every
        @spool.recover
      rescue Error => e
        @failed.call(e)
      ensure
        @looking.unlock
      end
    end
  end

  private_constant :Recovery
end
