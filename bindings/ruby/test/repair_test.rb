# frozen_string_literal: true

require_relative "spool_case"

class RepairTest < SpoolCase
  STEPS = ["remove_temporary .tmp/gone.tmp.abcdef", "remove_data .data/stray", "adopt incoming/orphan",
           "remove_reservation .registry/reserved"].freeze

  def setup
    super
    spool.reserve("orphan")
    put(name: "orphan")
    FileUtils.rm(File.join(dir, ".registry/orphan"))
    %w[.data/stray .tmp/gone.tmp.abcdef].each { |path| FileUtils.touch(File.join(dir, path)) }
    spool.reserve("reserved")
  end

  def test_a_repair_is_a_plan_until_it_is_applied
    before = files
    plan = spool.repair(min_age: 0)
    assert_equal STEPS, plan.steps.map(&:to_s)
    assert_equal before, files
    assert_equal plan.steps, plan.apply
    assert_empty spool.problems(limits: Multispool::Limits.new(max_reservation_age: 0, max_tmp_file_age: 0))
    spool.checkout("incoming", "orphan", &:remove)
  end

  def test_what_is_young_is_left_alone
    assert_empty spool.repair.steps
  end

  def test_things_are_moved_where_it_is_told
    to = File.join(work, "away")
    spool.repair(min_age: 0, to:, durability: :none).apply
    assert_path_exists File.join(to, ".data/stray")
  end

  def test_what_could_not_be_done_is_in_the_error_with_what_was
    to = File.join(work, "away")
    %w[.data/stray .tmp/gone.tmp.abcdef].each do |path|
      FileUtils.mkdir_p(File.dirname(File.join(to, path)))
      FileUtils.touch(File.join(to, path))
    end
    error = assert_raises(Multispool::Error) { spool.repair(min_age: 0, to:).apply }
    assert_equal [Errno::EEXIST::Errno] * 2, error.failures.map(&:errno)
    assert_equal error.message, error.failures.first.message
    assert_equal STEPS.last(2), error.repaired.map(&:to_s)
  end

  def test_a_read_only_spool_can_be_planned_for_and_not_repaired
    Multispool.load(dir, QUEUES, read_only: true) do |looking|
      plan = looking.repair(min_age: 0)
      assert_equal STEPS, plan.steps.map(&:to_s)
      assert_raises(Multispool::PermissionError) { plan.apply }
    end
  end

  def test_a_plan_outlives_its_spool_works_in_a_child_and_is_closed_once
    plan = Multispool.load(dir, QUEUES) { |other| other.repair(min_age: 0) }
    done = in_child { plan.apply.map(&:to_s) }
    assert_equal STEPS, done
    assert_empty plan.apply
    assert_nil plan.close
    assert_nil plan.close
    assert_raises(Multispool::ClosedError) { plan.apply }
  end

  def test_what_makes_no_sense_is_refused
    assert_raises(Multispool::InvalidArgumentError) { spool.repair(min_age: -1) }
    assert_raises(Multispool::InvalidArgumentError) { spool.repair(to: "a\0b") }
  end
end
