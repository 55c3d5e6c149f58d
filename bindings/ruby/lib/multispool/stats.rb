# frozen_string_literal: true

require_relative "call"

# The words of File::Stat and of a queue count more here than those of Struct.
# rubocop:disable Lint/StructNewOverride

module Multispool
  # When a file was last changed, and how long it is.
  # @!attribute [r] mtime
  #   @return [Time] the last change of its contents or the last move of its entry
  # @!attribute [r] ctime
  #   @return [Time] the last change of its inode
  # @!attribute [r] size
  #   @return [Integer] in bytes
  Stat = Struct.new(:mtime, :ctime, :size, keyword_init: true) do
    # Makes the call that fills in a stat.
    # @yield [mtime_ns, ctime_ns, size, error] its output pointers
    # @api private
    def self.read
      mtime_ns = FFI::MemoryPointer.new(:int64)
      ctime_ns = FFI::MemoryPointer.new(:int64)
      size = FFI::MemoryPointer.new(:uint64)
      status = Call.status { |error| yield mtime_ns, ctime_ns, size, error }
      return unless status == Status::OK

      new(mtime: Time.at(0, mtime_ns.read_int64, :nsec), ctime: Time.at(0, ctime_ns.read_int64, :nsec),
          size: size.read_uint64)
    end
  end

  # What one queue holds.
  # @!attribute [r] queue
  #   @return [String]
  # @!attribute [r] entries
  #   @return [Integer] waiting
  # @!attribute [r] checked_out_alive
  #   @return [Integer] checked out by somebody who lives
  # @!attribute [r] checked_out_dead
  #   @return [Integer] checked out by somebody who is gone: {Spool#recover} puts them back
  # @!attribute [r] oldest_age
  #   @return [Float, nil] in seconds, of the oldest waiting entry; nil without entries
  # @!attribute [r] metadata_bytes
  #   @return [Integer, nil] nil unless asked for
  # @!attribute [r] data_bytes
  #   @return [Integer, nil] nil unless asked for
  QueueStats = Struct.new(:queue, :entries, :checked_out_alive, :checked_out_dead, :oldest_age, :metadata_bytes,
                          :data_bytes, keyword_init: true)

  # What a spool holds.
  # @!attribute [r] queues
  #   @return [Array<QueueStats>]
  # @!attribute [r] free_bytes
  #   @return [Integer] free on the spool's file system
  # @!attribute [r] free_inodes
  #   @return [Integer, nil] nil where the file system does not count them
  Stats = Struct.new(:queues, :free_bytes, :free_inodes, keyword_init: true) do
    # @param pointer [FFI::AutoPointer] freed here
    # @api private
    def self.take(pointer)
      queues = Array.new(Native.stats_queue_count(pointer)) { |index| queue(pointer, index) }
      new(queues:, free_bytes: Native.stats_free_bytes(pointer),
          free_inodes: counted(Native.stats_free_inodes(pointer)))
    ensure
      pointer.free
    end

    # What the queue at an index holds.
    # @api private
    def self.queue(pointer, index)
      age_ms = counted(Native.stats_oldest_age_ms(pointer, index))
      QueueStats.new(
        queue: Bytes.text(Native.stats_queue(pointer, index)),
        entries: Native.stats_entries(pointer, index),
        checked_out_alive: Native.stats_checked_out_alive(pointer, index),
        checked_out_dead: Native.stats_checked_out_dead(pointer, index),
        oldest_age: age_ms && (age_ms / 1000.0),
        metadata_bytes: counted(Native.stats_metadata_bytes(pointer, index)),
        data_bytes: counted(Native.stats_data_bytes(pointer, index))
      )
    end

    # The library says -1 for what it does not know.
    # @api private
    def self.counted(number)
      number.negative? ? nil : number
    end
  end
end
# rubocop:enable Lint/StructNewOverride
