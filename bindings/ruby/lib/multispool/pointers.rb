# frozen_string_literal: true

require "ffi"
require_relative "native"

module Multispool
  # One class for each kind of native handle: freed when closed, or with its last Ruby reference.
  # Freeing in a forked child only closes there, so a child's garbage collection harms nobody.
  # @api private
  class OwnedPointer < FFI::AutoPointer
    # Makes the class for handles freed by `free`.
    def self.freed_by(free)
      Class.new(self) do
        define_singleton_method(:release) { |pointer| Native.public_send(free, pointer) }
      end
    end

    # Frees the handle, once: an exception from outside must not come between the freeing and the note of it, or the
    # collector would free it again.
    def free
      Thread.handle_interrupt(Object => :never) { super }
    end

    # Undoes a handle that its caller never got to see, since an exception came in between.
    def self.abandon(pointer)
      release(pointer)
    end
  end

  NamesPointer = OwnedPointer.freed_by(:names_free)
  SpoolPointer = OwnedPointer.freed_by(:spool_free)
  BatchPointer = OwnedPointer.freed_by(:batch_free)
  EnqueueWriterPointer = OwnedPointer.freed_by(:enqueue_writer_free)
  EntriesPointer = OwnedPointer.freed_by(:entries_free)
  CheckoutsPointer = OwnedPointer.freed_by(:checkouts_free)
  EntryPointer = OwnedPointer.freed_by(:entry_free)
  DataFilePointer = OwnedPointer.freed_by(:data_file_free)
  DataWriterPointer = OwnedPointer.freed_by(:data_writer_free)
  ReaderPointer = OwnedPointer.freed_by(:reader_free)
  StatsPointer = OwnedPointer.freed_by(:stats_free)
  LimitsPointer = OwnedPointer.freed_by(:limits_free)
  ProblemsPointer = OwnedPointer.freed_by(:problems_free)
  MonitorPointer = OwnedPointer.freed_by(:monitor_free)
  DaemonPointer = OwnedPointer.freed_by(:daemon_free)
  EventPointer = OwnedPointer.freed_by(:event_free)
  PlanPointer = OwnedPointer.freed_by(:plan_free)
  RepairedPointer = OwnedPointer.freed_by(:repaired_free)
  # A checkout found in a listing, which somebody else may own: it is only ever freed.
  ListedCheckoutPointer = OwnedPointer.freed_by(:checkout_free)

  # A checkout that is ours. One that nobody got to see goes back to its queue.
  CheckoutPointer = OwnedPointer.freed_by(:checkout_free)
  CheckoutPointer.define_singleton_method(:abandon) do |pointer|
    Native.checkout_release(pointer, nil)
    release(pointer)
  end

  DaemonOptionsPointer = OwnedPointer.freed_by(:daemon_options_free)

  OPTIONS_POINTERS = %i[spool enqueue checkout save remove reader recover stats repair].to_h do |kind|
    [kind, OwnedPointer.freed_by(:"#{kind}_options_free")]
  end.merge(daemon: DaemonOptionsPointer).freeze

  private_constant :OwnedPointer, :NamesPointer, :SpoolPointer, :BatchPointer,
                   :EnqueueWriterPointer,
                   :EntriesPointer, :CheckoutsPointer, :EntryPointer, :DataFilePointer, :DataWriterPointer,
                   :ReaderPointer, :StatsPointer, :LimitsPointer, :ProblemsPointer, :MonitorPointer,
                   :DaemonPointer, :EventPointer, :PlanPointer, :RepairedPointer, :ListedCheckoutPointer,
                   :CheckoutPointer, :DaemonOptionsPointer, :OPTIONS_POINTERS
end
