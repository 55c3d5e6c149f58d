# frozen_string_literal: true

$LOAD_PATH.unshift(File.expand_path("../lib", __dir__))
require "multispool"
require "minitest/autorun"
require "fileutils"
require "stringio"
require "timeout"
require "tmpdir"

# A test with a spool of its own, in a directory of its own.
class SpoolCase < Minitest::Test
  QUEUES = %w[incoming done].freeze
  # No wait of a test that is right comes near this, in seconds.
  PATIENCE = 30

  attr_reader :work, :dir, :spool

  def setup
    @work = Dir.mktmpdir("multispool-ruby")
    @dir = File.join(@work, "spool")
    @spool = Multispool.create(@dir, QUEUES)
  end

  def teardown
    @spool.close
    FileUtils.rm_rf(@work)
  end

  # Puts an entry into `incoming`, without syncing.
  def put(data = "data", metadata: "metadata", **options, &names)
    spool.enqueue("incoming", data, metadata:, durability: :none, **options, &names)
  end

  def names(queue)
    spool.list(queue).map(&:name)
  end

  def checked_out(queue = "incoming")
    Dir.children(File.join(dir, queue, ".checkout")).sort
  end

  # Every file below the spool, to see that nothing was left or lost.
  def files(root = dir)
    Dir.glob("**/*", File::FNM_DOTMATCH, base: root).select { |path| File.file?(File.join(root, path)) }.sort
  end

  # Waits until the block is true; fails if it never is.
  def eventually(what)
    Timeout.timeout(PATIENCE, Minitest::Assertion, "never: #{what}") { sleep 0.001 until yield }
  end

  # Waits until the thread sleeps in a wait.
  def until_asleep(thread)
    Timeout.timeout(PATIENCE, Minitest::Assertion, "the thread never sleeps") do
      Thread.pass until thread.status == "sleep"
    end
  end

  # Runs the block in a forked child, as another user if one is given.
  # @return what the block gave; its exception is raised here
  def in_child(uid: nil, &body)
    answer_of(start_child(uid, &body))
  end

  # Runs the block in so many forked children at once.
  # @return what each gave; the first exception is raised here
  def in_children(count, &)
    Array.new(count) { start_child(nil, &) }.map { |child| answer_of(child) }
  end

  # Runs the block where permissions count: as another user, if this is root.
  def unprivileged(&)
    File.chmod(0o755, work)
    in_child(uid: Process.uid.zero? ? 65_534 : nil, &)
  end

  private

  def start_child(uid, &)
    reader, writer = IO.pipe
    pid = fork do
      reader.close
      answer = child_answer(uid, &)
      writer.write(Marshal.dump(answer))
      writer.close
      exit!(0)
    end
    writer.close
    [pid, reader]
  end

  def answer_of((pid, reader))
    answer = reader.read
    Process.wait(pid)
    flunk "the child died" if answer.empty?
    kind, value = Marshal.load(answer)
    kind == :value ? value : raise(kind, value)
  end

  def child_answer(uid)
    if uid
      Process::GID.change_privilege(uid)
      Process::UID.change_privilege(uid)
    end
    [:value, yield]
  rescue Exception => e # rubocop:disable Lint/RescueException
    [e.class, e.message]
  end
end
