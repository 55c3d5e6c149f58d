# frozen_string_literal: true

require_relative "status"

module Multispool
  # Raised by `require "multispool"` when the shared library is not found or is of another version.
  class LibraryError < ::LoadError; end

  # The root of all that this gem raises while it works. One subclass for each status.
  class Error < StandardError
    # @return [Integer] one of the constants of {Status}
    attr_reader :status
    # @return [Integer, nil] the system's error number, as in `Errno::ENOENT::Errno`
    attr_reader :errno
    # @return [String, nil] the path that the failed step was about
    attr_reader :path
    # @return [String, nil] what was being done, such as `"enqueue"`
    attr_reader :operation
    # @return [Array<Entry>] the entries that {Spool#recover} had put back before it failed; else empty
    attr_reader :recovered
    # @return [Array<RepairStep>] the steps that {RepairPlan#apply} had done; else empty
    attr_reader :repaired
    # @return [Array<Entry>] the entries that {Spool#enqueue_many} put into the queue all the same; else empty
    attr_reader :enqueued
    # @return [Array<Error>] all that failed in a {RepairPlan#apply} or {Spool#enqueue_many}, this error first; else
    #   empty
    attr_reader :failures

    # @param message [String] what failed, why, and what to do
    # @param status [Integer] one of the constants of {Status}
    # @param errno [Integer, nil]
    # @param path [String, nil]
    # @param operation [String, nil]
    def initialize(message = nil, status: Error.status_of(self.class), errno: nil, path: nil, operation: nil)
      super(message)
      @status = status
      @errno = errno
      @path = path
      @operation = operation
      @recovered = @repaired = @enqueued = @failures = [].freeze
    end

    # Adds what was done before the failure.
    # @api private
    def with_recovered(entries)
      @recovered = entries
      self
    end

    # Adds what was done before and after the failure.
    # @api private
    def with_enqueued(entries, failures)
      @enqueued = entries
      @failures = failures
      self
    end

    # (see #with_enqueued)
    # @api private
    def with_repaired(steps, failures)
      @repaired = steps
      @failures = failures
      self
    end
  end

  # The system refused a step; {Error#errno} says how.
  class IOError < Error; end

  # An option or argument has a value that makes no sense.
  class InvalidArgumentError < Error; end

  # A name that no queue or entry can have. The disk was not touched.
  class InvalidNameError < Error; end

  # The directory is no spool.
  class NotASpoolError < Error; end

  # A spool was to be created in a directory that holds other things. Nothing in it was touched.
  class NotEmptyError < Error; end

  # The queue is not one of those the spool was opened with.
  class UnknownQueueError < Error; end

  # An entry is damaged: no data, not a regular file, or in two places. {Error#path} names it.
  class CorruptError < Error; end

  # A codec cannot turn metadata or data into bytes; its own exception is the `cause`. Nothing was changed.
  class EncodeError < InvalidArgumentError; end

  # Metadata or data is not what its codec writes; the codec's own exception is the `cause`. {Error#path} is the entry's
  # queue and name. It stops nobody: an entry that cannot be read goes back to its queue.
  class DecodeError < CorruptError; end

  # The handle was used up before, by save, remove, release or commit.
  class FinishedError < Error; end

  # A reader, checkout or writer was made before a fork and used in the child.
  class ForkedError < Error; end

  # The spool, the file system or this version cannot do that.
  class UnsupportedError < Error; end

  # The disk or the quota is full.
  class NoSpaceError < Error; end

  # Not allowed, by the system or because the spool was opened read-only.
  class PermissionError < Error; end

  # What must be there is not: the spool, one of its directories, or the entry to be checked out.
  class MissingError < Error; end

  # The entry has been taken from its owner meanwhile: it is no longer ours to finish.
  class LostOwnershipError < Error; end

  # Done and visible to all, but not known to survive a loss of power. Do not do it again.
  class NotDurableError < Error
    # @return [String, nil] the name of the entry that is visible
    attr_reader :name
    # @return [Entry, nil] the entry that was enqueued all the same
    attr_reader :entry

    # Adds what is visible all the same.
    # @api private
    def concerning(name, entry = nil)
      @name ||= name
      @entry = entry
      self
    end
  end

  # The process or the system is out of file descriptors.
  class DescriptorsError < Error; end

  # A name generator gave only names that were taken.
  class NamesExhaustedError < Error; end

  # A defect of the library. The handle refuses further use.
  class PanicError < Error; end

  # There is no such entry or reserved name.
  class NotFoundError < Error; end

  # The name is in use within the spool.
  class NameTakenError < Error; end

  # The object was closed before.
  class ClosedError < Error; end

  # A worker was told to end, and its block was not done with an entry in time.
  class DrainError < Error; end

  # Which class belongs to which status.
  class Error
    BY_STATUS = {
      Status::NOT_FOUND => NotFoundError,
      Status::NAME_TAKEN => NameTakenError,
      Status::IO => IOError,
      Status::INVALID_ARGUMENT => InvalidArgumentError,
      Status::INVALID_NAME => InvalidNameError,
      Status::NOT_A_SPOOL => NotASpoolError,
      Status::NOT_EMPTY => NotEmptyError,
      Status::UNKNOWN_QUEUE => UnknownQueueError,
      Status::CORRUPT => CorruptError,
      Status::FINISHED => FinishedError,
      Status::FORKED => ForkedError,
      Status::UNSUPPORTED => UnsupportedError,
      Status::NO_SPACE => NoSpaceError,
      Status::PERMISSION => PermissionError,
      Status::MISSING => MissingError,
      Status::LOST_OWNERSHIP => LostOwnershipError,
      Status::NOT_DURABLE => NotDurableError,
      Status::DESCRIPTORS => DescriptorsError,
      Status::NAMES_EXHAUSTED => NamesExhaustedError,
      Status::PANIC => PanicError
    }.freeze
    private_constant :BY_STATUS

    # The error for a status, of the class that belongs to it.
    # @api private
    def self.build(status, message, **details)
      BY_STATUS.fetch(status, Error).new(message, status:, **details)
    end

    # The status of errors of a class that say no other.
    # @api private
    def self.status_of(kind)
      return Status::FINISHED if kind <= ClosedError
      return Status::TIMED_OUT if kind <= DrainError

      BY_STATUS.key(BY_STATUS.values.find { |known| kind <= known }) || Status::PANIC
    end
  end
end
