# frozen_string_literal: true

require_relative "spool_case"
require "json"

class MonitorTest < SpoolCase
  HOUR = 3600

  def test_each_kind_of_damage_is_found_and_only_it
    damages.each do |expected, damage|
      entry = put
      instance_exec(entry.name, &damage)
      found = spool.problems(limits: Multispool::Limits.new(max_queue_ages: { done: 60 }))
      assert_equal expected.gsub("ENTRY", entry.name).split(", "), lines(found)
      found.each do |problem|
        refute_empty problem.message
        severity = problem.dirs.map(&:kind).first.to_s.start_with?("queue") ? OF_ENTRIES : OF_KIND
        assert_equal severity.fetch(problem.kind), [problem.severity, problem.action]
      end
      teardown
      setup
    end
  end

  OF_KIND = { too_old: %i[garbage repair], orphaned: %i[garbage repair], half_made: %i[garbage repair] }.freeze
  OF_ENTRIES = {
    too_old: %i[stuck workers], orphaned: %i[stuck repair], duplicated: %i[damage inspect],
    data_missing: %i[damage inspect], damaged: %i[damage inspect], impossible_name: %i[garbage inspect]
  }.freeze

  def test_a_healthy_spool_has_no_problem
    put
    assert_empty spool.problems
  end

  def test_a_dead_owner_is_known_at_once_and_a_slow_one_by_age
    entry = put
    entry.checkout do
      assert_empty spool.problems
      old("incoming/.checkout/#{entry.name}")
      assert_equal ["too_old incoming/.checkout #{entry.name}"], lines(spool.problems)
    end
    in_child { entry.checkout && nil }
    problem = spool.problems.first
    assert_equal %i[dead_owner stuck recover], [problem.kind, problem.severity, problem.action]
    assert_equal [Multispool::Problem::Dir.new(:queue_checkout, "incoming", "incoming/.checkout")], problem.dirs
  end

  def test_little_room_and_missing_data_concern_the_whole_spool
    low = spool.problems(limits: Multispool::Limits.new(min_free_bytes: 1 << 63)).first
    assert_equal [:low_space, [], :make_room], [low.kind, low.dirs, low.action]
    FileUtils.rm_rf(File.join(dir, ".data"))
    monitor = Multispool::Monitor.new(dir)
    assert_equal ["directory_missing .data spool"], lines(monitor.run_once)
  end

  def test_problems_compare_by_kind_file_time_and_place
    %w[.data/b .data/a .tmp/c].each { |path| plant(path) }
    first = spool.problems
    assert_equal first.sort, first
    assert_equal first, spool.problems
    assert_equal first.to_h { |problem| [problem, 1] }.keys, spool.problems
    old(".data/a")
    refute_includes first, spool.problems.first
    assert_nil first.first <=> 1
  end

  def test_a_monitor_reads_only_and_never_creates
    missing = File.join(work, "missing")
    assert_raises(Multispool::MissingError) { Multispool::Monitor.new(missing) }
    refute_path_exists missing
    plant(".data/stray")
    before = files
    monitor = Multispool::Monitor.new(dir)
    assert_equal ["orphaned .data stray"], lines(monitor.run_once)
    assert_equal before, files
    assert_raises(Multispool::ForkedError) { in_child { monitor.run_once } }
    assert_nil monitor.close
    assert_nil monitor.close
    assert_raises(Multispool::ClosedError) { monitor.run_once }
    assert_raises(Multispool::ClosedError) { monitor.first }
  end

  def test_events_tell_what_comes_and_what_goes_ends_first
    plant(".data/b")
    told = []
    monitor = Multispool::Monitor.new(dir)
    monitor.each(check_every: 0.001, alert_after_cycles: 0) do |event|
      told << event.to_s
      # By one rename: the next check sees both.
      File.rename(File.join(dir, ".data/b"), File.join(dir, ".data/a")) if told.size == 1
      break if told.size == 3
    end
    problem = ": its name is not reserved"
    assert_equal ["start: .data/b#{problem}", "end: .data/b#{problem}", "start: .data/a#{problem}"], told
  end

  def test_a_monitor_is_enumerable_and_events_have_an_order
    plant(".data/stray")
    events = Multispool::Monitor.new(dir).each(check_every: 0, alert_after_cycles: 1)
    start = events.first
    assert_equal %i[start orphaned], [start.kind, start.problem.kind]
    assert_in_delta Time.now, start.time, PATIENCE
    later = Multispool::Event.new(:end, start.time, start.problem)
    assert_operator start, :<, later
  end

  def test_a_stop_ends_the_loop_and_a_failed_check_does_not
    plant(".data/stray")
    failures = []
    stop = Multispool::Stop.new
    monitor = Multispool::Monitor.new(dir)
    FileUtils.mv(File.join(dir, ".registry"), File.join(work, "away"))
    on_error = lambda do |error|
      failures << error
      FileUtils.mv(File.join(work, "away"), File.join(dir, ".registry")) if failures.size == 2
    end
    result = monitor.each(check_every: 0.001, alert_after_cycles: 0, stop:, on_error:) { stop.trigger }
    assert_same monitor, result
    assert_equal [Errno::ENOENT::Errno] * 2, failures.map(&:errno)
  end

  def test_a_failed_check_is_raised_where_nobody_is_told
    monitor = Multispool::Monitor.new(dir)
    FileUtils.rm_rf(File.join(dir, ".registry"))
    assert_raises(Multispool::Error) { monitor.first }
  end

  def test_a_wait_for_events_ends_by_a_stop_of_another_thread
    monitor = Multispool::Monitor.new(dir)
    stop = Multispool::Stop.new
    thread = Thread.new { monitor.each(stop:) { flunk "no problem" } }
    until_asleep(thread)
    stop.trigger
    assert thread.join(PATIENCE)
  end

  def test_limits_and_specs_survive_the_way_to_json_and_back
    limits = Multispool::Limits.new(max_queue_ages: { incoming: 90 }, min_free_bytes: 7, max_tmp_file_age: 1.5)
    assert_equal({ "incoming" => "1m 30s" }, JSON.parse(limits.to_json)["max_queue_ages"])
    assert_equal limits, Multispool::Limits.from_json(limits.to_json)
    refute_equal limits, Multispool::Limits.new
    defaults = { max_checked_out_age: 600.0, max_tmp_file_age: 600.0, max_reservation_age: 600.0, max_queue_ages: {},
                 min_free_bytes: 16 << 20, min_free_inodes: 1000 }
    assert_equal defaults, Multispool::Limits.new.to_h
    again = Multispool::Monitor.from_json(Multispool::Monitor.new(dir, limits:).to_json)
    assert_equal [dir, limits], [again.dir, again.limits]
    assert_equal Multispool::Limits.new, Multispool::Monitor.from_json(JSON.generate(spool_dir: dir)).limits
  end

  def test_a_daemon_is_an_enumerable_of_events_with_settings_of_its_own
    monitor = Multispool::Monitor.new(dir)
    plant(".data/stray")
    daemon = monitor.daemon(check_every: 0, alert_after_cycles: 1)
    assert_equal [monitor, 0.0, 1], [daemon.monitor, daemon.check_every, daemon.alert_after_cycles]
    event = daemon.first
    assert_equal [:start, "stray"], [event.kind, event.problem.filename]
    stop = Multispool::Stop.new
    assert_same daemon, (daemon.each(stop:) { stop.trigger })
    assert_equal [event.problem], daemon.lazy.map(&:problem).first(1)
    refute_includes daemon.inspect, "options"
  end

  def test_the_settings_of_a_daemon_survive_the_way_to_json_and_back
    monitor = Multispool::Monitor.new(dir)
    assert_equal [15.0, 2], [monitor.daemon.check_every, monitor.daemon.alert_after_cycles]
    text = monitor.daemon(check_every: 90, alert_after_cycles: 0).to_json
    assert_equal({ "check_every" => "1m 30s", "alert_after_cycles" => 0 }, JSON.parse(text))
    again = Multispool::Daemon.from_json(monitor, text)
    assert_equal [90.0, 0], [again.check_every, again.alert_after_cycles]
    assert_equal 2, Multispool::Daemon.from_json(monitor, "{}").alert_after_cycles
    assert_raises(Multispool::InvalidArgumentError) { Multispool::Daemon.from_json(monitor, "{\"x\":1}") }
  end

  def test_what_makes_no_sense_is_refused
    assert_raises(Multispool::InvalidArgumentError) { Multispool::Limits.new(max_tmp_file_age: -1) }
    assert_raises(Multispool::InvalidNameError) { Multispool::Limits.new(max_queue_ages: { "a/b" => 1 }) }
    assert_raises(Multispool::InvalidArgumentError) { Multispool::Limits.from_json("{\"max_age\":\"1s\"}") }
    assert_raises(Multispool::InvalidArgumentError) { Multispool::Limits.from_json("{}\0") }
    assert_raises(Multispool::InvalidArgumentError) { Multispool::Monitor.from_json("{}") }
    monitor = Multispool::Monitor.new(dir)
    assert_raises(Multispool::InvalidArgumentError) { monitor.each(check_every: -1) { flunk } }
  end

  def test_a_problem_as_a_hash_has_the_keys_of_the_command
    plant(".data/stray")
    hash = spool.problems.first.to_h
    assert_equal %i[kind name places mtime age_seconds severity action], hash.keys
    assert_equal ["stray", [".data"], :garbage], hash.values_at(:name, :places, :severity)
  end

  private

  # What the one problem is to be, and how to make it.
  def damages
    {
      "too_old done x" => ->(_) { plant_entry("done", "x") && old("done/x") },
      "too_old .tmp ENTRY.tmp.abcdef" => lambda do |name|
        plant(".tmp/#{name}.tmp.abcdef")
        old(".tmp/#{name}.tmp.abcdef")
      end,
      "orphaned .data stray" => ->(_) { plant(".data/stray") },
      "orphaned incoming ENTRY, data_missing incoming ENTRY" => ->(name) { lose(name) },
      "orphaned incoming/.checkout ENTRY, data_missing incoming/.checkout ENTRY" => lambda do |name|
        File.rename(File.join(dir, "incoming", name), File.join(dir, "incoming/.checkout", name))
        lose(name)
      end,
      "orphaned .registry r" => ->(_) { spool.reserve("r") && old(".registry/r") },
      "orphaned .tmp x.tmp.abcdef" => ->(_) { plant(".tmp/x.tmp.abcdef") },
      "duplicated done+incoming ENTRY" => ->(name) { plant("done/#{name}") },
      "data_missing incoming ENTRY" => ->(name) { FileUtils.rm(File.join(dir, ".data", name)) },
      "damaged incoming ENTRY" => lambda do |name|
        FileUtils.rm(File.join(dir, "incoming", name))
        ::Dir.mkdir(File.join(dir, "incoming", name))
      end,
      "half_made .data h" => lambda do |_|
        spool.reserve("h")
        plant(".data/h")
        old(".registry/h", 60)
      end,
      "impossible_name incoming .x.swp" => ->(_) { plant("incoming/.x.swp") }
    }
  end

  def plant_entry(queue, name)
    spool.reserve(name)
    spool.enqueue(queue, "", name:, durability: :none)
  end

  # Leaves of an entry only its metadata.
  def lose(name)
    FileUtils.rm([".registry", ".data"].map { |part| File.join(dir, part, name) })
  end

  def plant(path)
    FileUtils.touch(File.join(dir, path))
  end

  def old(path, age = HOUR)
    FileUtils.touch(File.join(dir, path), mtime: Time.now - age)
  end

  def lines(problems)
    problems.map do |problem|
      "#{problem.kind} #{problem.dirs.map(&:name_on_disk).join('+')} #{problem.filename}"
    end
  end
end
