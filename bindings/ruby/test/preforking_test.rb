# frozen_string_literal: true

require_relative "spool_case"
require "digest"
require "open3"
require "rbconfig"

# The preforking worker of the examples, and what is left of its work when parts of it are killed.
class PreforkingTest < SpoolCase
  SCRIPT = File.expand_path("../../../examples/ruby/preforking_worker.rb", __dir__)
  CHILDREN = 4

  def setup
    super
    @made = []
    @log = File.join(work, "log")
    FileUtils.touch(@log)
    @parents = []
  end

  def teardown
    @parents.each { |pid| Process.kill("KILL", pid) }
    eventually("every process is gone") { workers.none? { |pid| alive?(pid) } }
    super
  end

  def test_it_works_on_all_entries_and_ends_with_what_is_in_hand_done
    20.times { enqueue }
    start
    assert_equal CHILDREN, workers.size
    eventually("all are done") { names("done").size == 20 }
    assert_predicate terminate, :success?
    assert_all_done
  end

  def test_killed_in_parts_it_loses_nothing
    start
    6.times do |round|
      20.times { enqueue }
      eventually("it works") { names("done").size >= round * 15 }
      kill_a_child
    end
    eventually("all are done") { names("done").size == @made.size }
    assert_predicate terminate, :success?
    assert_all_done
  end

  def test_children_whose_parent_is_killed_finish_what_they_have_and_a_new_parent_goes_on
    start
    40.times { enqueue }
    eventually("it works") { names("done").size > 5 }
    children = workers
    Process.kill("KILL", @parents.last)
    Process.wait(@parents.pop)
    eventually("the children end") { children.none? { |pid| alive?(pid) } }
    start
    20.times { enqueue }
    eventually("all are done") { names("done").size == @made.size }
    assert_predicate terminate, :success?
    assert_all_done
  end

  def test_killed_as_a_whole_at_once_it_loses_nothing
    start
    40.times { enqueue }
    eventually("it works") { names("done").size > 5 }
    [@parents.last, *workers].each { |pid| Process.kill("KILL", pid) }
    Process.wait(@parents.pop)
    start
    eventually("all are done") { names("done").size == @made.size }
    assert_predicate terminate, :success?
    assert_all_done
  end

  def test_what_would_fail_again_and_again_ends_it
    start
    FileUtils.rm_rf(File.join(dir, "incoming"))
    _, status = Process.wait2(@parents.pop)
    assert_equal 1, status.exitstatus
    assert_equal CHILDREN, workers.size
    assert_includes File.read(@log), File.join(dir, "incoming")
  end

  def test_wrong_usage_is_told
    [[], [dir, "0"], [dir, "x"]].each do |arguments|
      _, messages, status = Open3.capture3(RbConfig.ruby, SCRIPT, *arguments)
      assert_equal 2, status.exitstatus
      assert_includes messages, "usage:"
    end
  end

  private

  def enqueue
    @made << put(@made.size.to_s, metadata: "m").name
  end

  # Starts a parent, and waits for its children.
  def start
    before = workers.size
    @parents << spawn(RbConfig.ruby, SCRIPT, dir, CHILDREN.to_s, %i[out err] => [@log, "a"])
    eventually("the children work") { workers.size == before + CHILDREN }
  end

  # Every child that ever worked.
  def workers
    File.readlines(@log).filter_map { |line| line[/\A(\d+) works$/, 1]&.to_i }
  end

  def kill_a_child
    before = workers
    Process.kill("KILL", before.select { |pid| alive?(pid) }.sample)
    eventually("another takes its place") { workers.size == before.size + 1 }
  end

  # A zombie is dead.
  def alive?(pid)
    !File.read("/proc/#{pid}/stat").match?(/\) Z/)
  rescue Errno::ENOENT, Errno::ESRCH
    false
  end

  def terminate
    Process.kill("TERM", @parents.last)
    Process.wait2(@parents.pop).last
  end

  # Each is in `done`, whole, with its digest, and nothing else is anywhere.
  def assert_all_done
    assert_equal @made, names("done")
    @made.each_with_index do |name, number|
      assert_equal "m\nsha256 #{Digest::SHA256.hexdigest(number.to_s)}", spool.entry("done", name).direct.contents
    end
    spool.repair(min_age: 0).apply
    kept = @made.flat_map { |name| [".data/#{name}", ".registry/#{name}", "done/#{name}"] }
    assert_equal (kept + [".multispool/format"]).sort, files
  end
end
