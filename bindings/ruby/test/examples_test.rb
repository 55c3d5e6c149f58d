# frozen_string_literal: true

require_relative "spool_case"
require "digest"
require "json"
require "open3"
require "rbconfig"
require "zlib"

# The examples, run as a user would run them.
class ExamplesTest < SpoolCase
  EXAMPLES = File.expand_path("../../../examples", __dir__)
  PRODUCER = File.join(EXAMPLES, "ruby", "producer.rb")
  WORKER = File.join(EXAMPLES, "ruby", "worker.rb")
  UNPACK = File.join(EXAMPLES, "demo", "ruby", "unpack.rb")

  def setup
    super
    @output = File.join(work, "output")
    Dir.mkdir(@output)
    @demo = Multispool.create(File.join(work, "demo"), "incoming", "compressed", durability: :none)
  end

  def teardown
    @demo.close
    super
  end

  def test_what_the_producer_puts_in_the_worker_digests
    file = File.join(work, "file")
    File.write(file, "from a file")
    printed, status = Open3.capture2(RbConfig.ruby, PRODUCER, dir, file, "-", stdin_data: "from stdin")
    assert_predicate status, :success?
    assert_equal names("incoming"), printed.split

    printed, status = Open3.capture2(RbConfig.ruby, WORKER, dir, "0.01")
    assert_predicate status, :success?
    assert_equal(names("done"), printed.lines.map { |line| line.split.first })
    assert_equal(["#{file}\nsha256 #{Digest::SHA256.hexdigest('from a file')}",
                  "-\nsha256 #{Digest::SHA256.hexdigest('from stdin')}"],
                 spool.list("done").map { |entry| entry.direct.contents })
  end

  def test_a_producer_goes_on_after_a_file_that_is_missing
    printed, messages, status = Open3.capture3(RbConfig.ruby, PRODUCER, dir, "/nowhere/file", __FILE__)
    assert_equal 1, status.exitstatus
    assert_equal 1, printed.lines.size
    assert_includes messages, "/nowhere/file"
  end

  def test_wrong_usage_is_told
    [PRODUCER, WORKER, UNPACK].each do |script|
      _, messages, status = Open3.capture3(RbConfig.ruby, script)
      assert_equal 2, status.exitstatus
      assert_includes messages, "usage:"
    end
  end

  def test_a_worker_that_is_killed_leaves_its_entry_to_the_next
    entry = put
    in_child { entry.checkout && nil }
    printed, status = Open3.capture2(RbConfig.ruby, WORKER, dir, "0.01")
    assert_predicate status, :success?
    assert_equal "recovered #{entry.name}", printed.lines.first.chomp
    assert_equal [entry.name], names("done")
  end

  def test_unpack_writes_the_files_and_empties_the_queue
    contents = { "a" => "one", "sub/dir/b" => "\0\xFF".b * 300_000, "sub/empty" => "", "ünï ☃" => "two" }
    contents.each { |path, bytes| pack(path, bytes) }
    messages, status = unpack
    assert_predicate status, :success?, messages
    contents.each { |path, bytes| assert_equal bytes.b, File.binread(File.join(@output, path)) }
    assert_equal contents.keys.sort, files(@output)
    assert_empty @demo.list("compressed").to_a
    report = JSON.parse(messages.lines.last)
    assert_equal ["unpack", 4, contents.values.sum(&:bytesize)], report.values_at("stage", "entries", "bytes")
    assert_kind_of Numeric, report["seconds"]
  end

  def test_unpack_writes_over_what_a_run_before_has_left
    name = pack("file", "contents").name
    File.write(File.join(@output, "file"), "other")
    File.write(File.join(@output, ".unpack.#{name}"), "half-written and longer than it should be")
    messages, status = unpack
    assert_predicate status, :success?, messages
    assert_equal ["file"], files(@output)
    assert_equal "contents", File.read(File.join(@output, "file"))
  end

  def test_unpack_refuses_what_is_not_what_it_says_it_is
    bad = { "a size" => pack("file", "contents", size: 3), "another" => pack("file", "contents", size: 30),
            "a digest" => pack("file", "contents", sha256: "0" * 64), "no gzip" => pack("file", "x", data: "plain"),
            "cut" => pack("file", "contents", data: Zlib.gzip("contents")[0...-4]),
            "more" => pack("file", "contents", data: "#{Zlib.gzip('contents')}more"),
            "no json" => @demo.enqueue("compressed", "x", metadata: "{"),
            "no object" => @demo.enqueue("compressed", "x", metadata: "[]"),
            "no path" => @demo.enqueue("compressed", "x", metadata: "{}") }
    assert_refused(bad.values)
  end

  def test_unpack_refuses_paths_that_leave_the_output_tree
    File.symlink(work, File.join(@output, "link"))
    paths = ["../x", "/x", "a/../../x", "", ".", "a//b", "a/", "./x", "nul\0", "link/x"]
    assert_refused(paths.map { |path| pack(path, "contents") })
    refute_path_exists File.join(work, "x")
  end

  private

  def pack(path, bytes, size: bytes.bytesize, sha256: Digest::SHA256.hexdigest(bytes), data: Zlib.gzip(bytes))
    @demo.enqueue("compressed", data, metadata: JSON.generate(path:, size:, sha256:))
  end

  # Each is back in its queue, each was named, nothing was written.
  def assert_refused(entries)
    messages, status = unpack { |lines| lines.count { |line| line.include?("goes back") } >= entries.size }
    assert_equal 1, status.exitstatus
    entries.each { |entry| assert_includes messages, entry.name }
    assert_equal entries.map(&:name).sort, @demo.list("compressed").map(&:name)
    assert_empty(files(@output).reject { |path| path.start_with?("link") })
  end

  # Runs the stage, and ends it with SIGTERM when the block, or an empty queue, says that it is done.
  # @return [Array(String, Process::Status)] what it said
  def unpack
    log = File.join(work, "unpack.log")
    pid = spawn(RbConfig.ruby, UNPACK, @demo.dir, @output, err: log)
    status = nil
    eventually("unpack is done") do
      status = Process.wait2(pid, Process::WNOHANG)&.last
      status || (block_given? ? yield(File.readlines(log)) : Dir.children(File.join(@demo.dir, ".registry")).empty?)
    end
    status ||= terminate(pid)
    [File.read(log), status]
  end

  def terminate(pid)
    Process.kill("TERM", pid)
    Process.wait2(pid).last
  end
end
