# frozen_string_literal: true

require_relative "spool_case"
require "rbconfig"

# What is told when a sync fails: the kernel is asked to refuse it, in a process of its own (seccomp).
class FailingDiskTest < SpoolCase
  FSYNC = RbConfig::CONFIG["host_cpu"] == "x86_64" ? 74 : 82
  # The instructions of a filter, and how it is set.
  LOAD = 0x20
  JUMP_IF_EQUAL = 0x15
  JUMP_IF_AT_LEAST = 0x35
  ANSWER = 0x06
  NO_NEW_PRIVILEGES = 38
  SECCOMP = 22
  WITH_FILTER = 2

  def setup
    super
    put # makes the library open what it syncs; forked children inherit it
    @before = files
  end

  def test_what_could_not_be_written_is_told_and_leaves_nothing_behind
    kind, errno, path = on_a_disk_that_fails(Errno::ENOSPC) { spool.enqueue("incoming", "x") }
    assert_equal ["Multispool::NoSpaceError", Errno::ENOSPC::Errno], [kind, errno]
    assert_operator path, :start_with?, dir
    assert_equal @before, files
  end

  def test_what_is_done_and_may_not_last_is_told_with_its_name
    kind, errno, _, name, entry = on_a_disk_that_fails(Errno::EIO, "incoming") { spool.enqueue("incoming", "x") }
    assert_equal ["Multispool::NotDurableError", Errno::EIO::Errno], [kind, errno]
    assert_equal [name, name], [entry, names("incoming").last]
    assert_equal 2, names("incoming").size
  end

  def test_a_save_that_may_not_last_is_done
    name = names("incoming").first
    kind, _, _, told, entry = on_a_disk_that_fails(Errno::EIO, "done") do
      spool.checkout("incoming", name) { |checkout| checkout.save("done", durability: :full) }
    end
    assert_equal ["Multispool::NotDurableError", name, nil], [kind, told, entry]
    assert_equal [[], [name]], [names("incoming"), names("done")]
  end

  def test_of_many_each_that_is_there_is_told
    kind, *, enqueued, failures = on_a_disk_that_fails(Errno::EIO, "incoming") do
      spool.enqueue_many("incoming") { |batch| batch << "1" << "2" }
    end
    assert_equal ["Multispool::NotDurableError", 2], [kind, failures]
    assert_equal names("incoming").last(2), enqueued
  end

  private

  # @param directory [String, nil] the queue whose directory cannot be synced; nil: nothing can
  # @return what the error says that the block raises in a child
  def on_a_disk_that_fails(kind, directory = nil, &)
    in_child do
      number = directory && descriptor_of(File.join(dir, directory))
      refuse(FSYNC, number, kind::Errno)
      error = assert_raises(Multispool::Error, &)
      told = error.is_a?(Multispool::NotDurableError) ? [error.name, error.entry&.name] : [nil, nil]
      [error.class.name, error.errno, error.path, *told, error.enqueued.map(&:name), error.failures.size]
    end
  end

  # @return [Integer] the number under which the library has a directory open
  def descriptor_of(path)
    Dir.children("/proc/self/fd").map(&:to_i).find do |number|
      File.readlink("/proc/self/fd/#{number}") == path
    rescue Errno::ENOENT
      false
    end || flunk("#{path} is not open")
  end

  # Makes a system call of this thread fail from now on, for that descriptor or for all.
  def refuse(call, number, errno)
    which = number ? [JUMP_IF_EQUAL, 0, 1, number] : [JUMP_IF_AT_LEAST, 0, 1, 0]
    # The call, and the low half of its first argument, as they lie in struct seccomp_data.
    filter = [[LOAD, 0, 0, 0], [JUMP_IF_EQUAL, 0, 3, call], [LOAD, 0, 0, 16], which,
              [ANSWER, 0, 0, 0x00050000 | errno], [ANSWER, 0, 0, 0x7fff0000]]
    program = FFI::MemoryPointer.from_string(filter.map { |instruction| instruction.pack("SCCL") }.join)
    header = FFI::MemoryPointer.new(:pointer, 2).put_uint16(0, filter.size)
    header.put_pointer(FFI.type_size(:pointer), program)
    assert_equal 0, System.prctl(NO_NEW_PRIVILEGES, :ulong, 1, :ulong, 0, :ulong, 0, :ulong, 0)
    assert_equal 0, System.prctl(SECCOMP, :ulong, WITH_FILTER, :pointer, header)
  end

  module System
    extend FFI::Library
    ffi_lib FFI::Library::LIBC
    attach_function :prctl, %i[int varargs], :int
  end
end
