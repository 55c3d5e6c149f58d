# frozen_string_literal: true

require_relative "spool_case"

# Nothing that is used keeps memory or descriptors, whether it is closed, collected, or left by an exception.
class LeakTest < SpoolCase
  # What is kept grows in every part of a run; what settles, such as caches and the heaps of threads, less and less.
  PARTS = 20
  ROUNDS = 10
  # In bytes: pages that the system counts for this process, and what is allocated of them. A round may keep a tenth of
  # it: less than a checkout or an error is large.
  RESIDENT = 500_000
  ALLOCATED = 2500

  PAYLOAD = "x" * 100_000

  USES = {
    enqueue: ->(spool) { spool.enqueue("incoming", PAYLOAD, metadata: PAYLOAD).with_entry(&:remove) },
    stream: ->(spool) { spool.enqueue("incoming", StringIO.new(PAYLOAD)).with_entry(&:remove) },
    batch: ->(spool) { spool.enqueue_many("incoming") { |batch| batch << PAYLOAD }.each { |e| e.checkout(&:remove) } },
    open: ->(spool) { Multispool.load(spool.dir, QUEUES) { |other| other.list("incoming").first } },
    data: lambda do |spool|
      spool.enqueue("incoming", PAYLOAD).checkout do |checkout|
        checkout.write_data { |writer| writer << checkout.data << checkout.data_io(&:read) }
        checkout.remove
      end
    end,
    reader: lambda do |spool|
      spool.enqueue("incoming", PAYLOAD)
      spool.reader("incoming") { |reader| reader.each(timeout: 0) { |checkout| checkout.data && checkout.remove } }
    end,
    direct: lambda do |spool|
      entry = spool.enqueue("incoming", PAYLOAD, metadata: PAYLOAD)
      entry.direct.save(entry.direct.contents + entry.direct.data_file.load)
      entry.direct.remove
    end,
    codec: lambda do |spool|
      Multispool::Spoolable.new(QUEUES, metadata: :json, data: :json).load(spool.dir) do |typed|
        typed.enqueue("incoming", [PAYLOAD], metadata: [PAYLOAD]).checkout do |checkout|
          checkout.update { |_| checkout.data }
          checkout.remove
        end
      end
    end,
    worker: lambda do |spool|
      spool.enqueue("incoming", PAYLOAD)
      Multispool::Worker.new(spool, "incoming") { |entry| entry.data && entry.remove }.run(signals: [], timeout: 0)
    end,
    stop: ->(_) { Multispool::Stop.new.trigger.close },
    monitor: lambda do |spool|
      FileUtils.touch(File.join(spool.dir, ".data", "stray"))
      Multispool::Monitor.new(spool.dir).each(alert_after_cycles: 0) { break }
    end,
    specs: lambda do |spool|
      monitor = Multispool::Monitor.from_json(Multispool::Monitor.new(spool.dir).to_json)
      Multispool::Daemon.from_json(monitor, monitor.daemon.to_json)
    end,
    repair: lambda do |spool|
      FileUtils.touch(File.join(spool.dir, ".data", "stray"))
      spool.repair(min_age: 0).apply
    end,
    looks: ->(spool) { spool.problems && spool.stats && spool.recover },
    errors: lambda do |spool|
      [-> { spool.checkout("incoming", "ghost") }, -> { spool.enqueue("nope", PAYLOAD) }, -> { spool.reader("nope") },
       -> { Multispool.load("/nowhere", "x") }, -> { spool.reserve("a/b") }].each do |failing|
        failing.call
      rescue Multispool::Error
        nil
      end
    end,
    exceptions: lambda do |spool|
      entry = spool.enqueue("incoming", PAYLOAD)
      [-> { entry.checkout { |checkout| checkout.write_data { |writer| (writer << PAYLOAD) && raise(KeyError) } } },
       -> { spool.reader("incoming") { |reader| reader.each { raise KeyError } } },
       -> { spool.enqueue_many("incoming") { |batch| (batch << PAYLOAD) && raise(KeyError) } }].each do |failing|
        failing.call
      rescue KeyError
        nil
      end
      entry.checkout(&:remove)
    end,
    unclosed: lambda do |spool|
      spool.enqueue("incoming", PAYLOAD).checkout.tap(&:data_file).remove
      spool.reader("incoming").dequeue(timeout: 0)
      Multispool.load(spool.dir, QUEUES).list("incoming").first
    end
  }.freeze

  USES.each do |name, use|
    define_method("test_#{name}_keeps_nothing") { assert_keeps_nothing(&use) }
  end

  # The checks see what they are there for.
  def test_what_is_kept_is_noticed
    kept = []
    { descriptors: ->(spool) { kept << spool.enqueue("incoming", PAYLOAD).checkout },
      resident: ->(_) { kept << Random.bytes(1_000_000) },
      allocated: ->(spool) { kept << Array.new(8) { spool.entry("incoming", "name") } } }.each do |what, use|
      error = in_child { assert_raises(Minitest::Assertion) { assert_keeps_nothing(5, &use) }.message }
      assert_includes error, what.to_s
    end
  end

  private

  def assert_keeps_nothing(parts = PARTS, &use)
    Multispool.load(dir, QUEUES, durability: :none) do |unsynced|
      growths = []
      parts.times do
        growths << growth { ROUNDS.times { use.call(unsynced) } }
        break if growths.size > 3 && kept_of(growths).empty?
      end
      assert_empty kept_of(growths), growths.inspect
    end
  end

  # By the middle one of the last three parts.
  def kept_of(growths)
    grown = growths.last(3).transpose.map { |parts| parts.sort[1] }
    %w[descriptors resident allocated].zip(grown, [1, RESIDENT, ALLOCATED]).filter_map do |what, bytes, limit|
      what if bytes >= limit
    end
  end

  def growth
    before = used
    yield
    used.zip(before).map { |now, earlier| now - earlier }
  end

  # @return [Array(Integer)] open descriptors, and bytes resident and allocated
  def used
    3.times { GC.start }
    heap = Libc.mallinfo2
    [Dir.children("/proc/self/fd").size, File.read("/proc/self/statm").split[1].to_i * 4096,
     heap[:uordblks] + heap[:hblkhd]]
  end

  # What the C library knows of its heap.
  class Heap < FFI::Struct
    layout(*%i[arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost].product([:size_t]).flatten)
  end

  module Libc
    extend FFI::Library
    ffi_lib FFI::Library::LIBC
    attach_function :mallinfo2, [], Heap.by_value
  end
end
