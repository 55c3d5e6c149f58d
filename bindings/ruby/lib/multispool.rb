# frozen_string_literal: true

require_relative "multispool/version"
require_relative "multispool/errors"
require_relative "multispool/spool"
require_relative "multispool/worker"

# A queue that is a directory: processes in several languages put entries into it, take them out, and lose none when a
# process or the power dies.
#
# @example
#   Multispool.create("/var/spool/mail", :incoming, :sent) do |spool|
#     spool.enqueue(:incoming, "the message", metadata: "to: you")
#     spool.reader(:incoming) do |reader|
#       reader.each(timeout: 1) { |checkout| checkout.save(:sent) }
#     end
#   end
module Multispool
  class << self
    # Opens a spool, and makes what is missing of it.
    # @param dir [String, Pathname] must be empty, a spool, or not there
    # @param queues [Array<String, Symbol>]
    # @param durability [:full, :original, :none, nil] what enqueue, save and remove promise; nil: `:full`
    # @param owners [:locking, :mixed, nil] `:mixed`: processes that take no locks will share it; nil: `:locking`
    # @param mode [:local, :network, nil] `:network`: several hosts will share it; nil: by the file system
    # @param lease [Numeric, nil] for how many seconds whoever takes an entry owns it unless it renews
    #   ({Checkout#renew}, {Checkout#keep}), where several hosts share the spool: whole, from 4 to 86,400. A spool
    #   that is there keeps what it has; nil: 120
    # @param max_concurrent [Integer, nil] steps on the disk at once; nil or 0: any number
    # @param file_mode [Integer, nil] of new files; nil: 0666 less the umask
    # @param dir_mode [Integer, nil] of new directories; nil: 0777 less the umask
    # @param group [Integer, nil] the group id of what is made
    # @param allow_world_writable [Boolean] accept a directory that others may write
    # @yield [spool] closed at the block's end
    # @yieldparam spool [Spool]
    # @return [Spool, Object] with a block, the block's value
    # @raise [NotEmptyError, InvalidNameError, PermissionError, IOError]
    def create(dir, *queues, durability: nil, owners: nil, mode: nil, lease: nil, max_concurrent: nil, file_mode: nil,
               dir_mode: nil, group: nil, allow_world_writable: nil, &block)
      Spoolable.new(*queues).create(dir, durability:, owners:, mode:, lease:, max_concurrent:, file_mode:, dir_mode:,
                                         group:, allow_world_writable:, &block)
    end

    # Opens a spool that is there. Nothing is made or changed.
    # @param dir [String, Pathname]
    # @param queues [Array<String, Symbol>] the queues to be used, which must be there; see {discover}
    # @param read_only [Boolean] for list, Direct reads and stats: needs no right to write
    # @param (see create)
    # @yield (see create)
    # @return (see create)
    # @raise [MissingError, NotASpoolError, UnsupportedError, PermissionError, IOError]
    def load(dir, *queues, durability: nil, read_only: nil, mode: nil, max_concurrent: nil, file_mode: nil,
             dir_mode: nil, group: nil, allow_world_writable: nil, &block)
      Spoolable.new(*queues).load(dir, durability:, read_only:, mode:, max_concurrent:, file_mode:, dir_mode:, group:,
                                       allow_world_writable:, &block)
    end

    # Opens a spool and checks nothing: what is wrong with it shows at first use.
    # @param (see load)
    # @yield (see create)
    # @return (see create)
    # @raise [InvalidNameError, IOError]
    def load_unsafe(dir, *queues, durability: nil, read_only: nil, mode: nil, max_concurrent: nil, file_mode: nil,
                    dir_mode: nil, group: nil, allow_world_writable: nil, &block)
      Spoolable.new(*queues).load_unsafe(dir, durability:, read_only:, mode:, max_concurrent:, file_mode:, dir_mode:,
                                              group:, allow_world_writable:, &block)
    end

    # Reads from the disk which queues a spool has.
    # @param dir [String, Pathname]
    # @return [Array<String>] sorted
    # @raise [MissingError, NotASpoolError, PermissionError, IOError]
    def discover(dir)
      path = Bytes.c_string(Bytes.path(dir, "discover"))
      cursor = Call.handle(NamesPointer) { |out, error| Native.discover(path, out, error) }.handle
      names = []
      name = FFI::MemoryPointer.new(:pointer)
      names << Bytes.text(name.read_pointer) while Call.status do |error|
        Native.names_next(cursor, name, error)
      end == Status::OK
      names
    ensure
      cursor&.free
    end

    # @return [String] the version of the library in use
    def library_version
      Bytes.text(Native.version_string)
    end

    # @return [Integer] the version of the format on disk that the library writes
    def format_version
      Native.format_version
    end
  end
end
