# frozen_string_literal: true

require_relative "spool_case"

class CreateLoadTest < SpoolCase
  def test_create_makes_the_spool_and_creating_again_is_fine
    again = Multispool.create(dir, QUEUES)
    assert_equal dir, again.dir
    assert_equal QUEUES.sort, again.queues.sort
    assert_equal :full, again.durability
    refute_predicate again, :read_only?
    assert_equal %w[.checkout], Dir.children(File.join(dir, "incoming"))
  end

  def test_queues_are_given_as_strings_or_symbols_one_by_one_or_in_an_array
    other = File.join(work, "other")
    Multispool.create(other, :a, ["b", [:c]]) { |spool| assert_equal %w[a b c], spool.queues.sort }
    assert_equal %w[a b c], Multispool.discover(other)
  end

  def test_a_directory_is_given_as_a_pathname_too
    Multispool.load(Pathname.new(dir), "incoming") { |spool| assert_equal dir, spool.dir }
  end

  def test_the_block_form_returns_the_value_of_the_block_and_closes
    seen = nil
    value = Multispool.load(dir, QUEUES) do |spool|
      seen = spool
      :value
    end
    assert_equal :value, value
    assert_predicate seen, :closed?
  end

  def test_the_block_form_closes_after_an_exception
    seen = nil
    assert_raises(RuntimeError) do
      Multispool.load(dir, QUEUES) do |spool|
        seen = spool
        raise "x"
      end
    end
    assert_predicate seen, :closed?
  end

  def test_discover_reads_the_queues_from_disk
    assert_equal %w[done incoming], Multispool.discover(dir)
  end

  def test_load_of_a_missing_spool_says_so
    missing = File.join(work, "missing")
    error = assert_raises(Multispool::MissingError) { Multispool.load(missing, QUEUES) }
    assert_equal missing, error.path
    assert_equal Multispool::Status::MISSING, error.status
    assert_includes error.message, missing
    refute_nil error.operation
    refute_path_exists missing
    assert_raises(Multispool::MissingError) { Multispool.discover(missing) }
  end

  def test_a_file_in_the_place_of_the_spool_is_no_spool
    file = File.join(work, "file")
    File.write(file, "x")
    assert_raises(Multispool::NotASpoolError) { Multispool.load(file, QUEUES) }
    assert_raises(Multispool::NotASpoolError) { Multispool.create(file, QUEUES) }
    assert_equal "x", File.read(file)
  end

  def test_a_directory_that_is_no_spool_is_not_loaded
    other = File.join(work, "other")
    Dir.mkdir(other)
    assert_raises(Multispool::NotASpoolError) { Multispool.load(other, QUEUES) }
    assert_raises(Multispool::NotASpoolError) { Multispool.discover(other) }
    assert_empty Dir.children(other)
  end

  def test_create_refuses_a_directory_with_other_things_and_touches_nothing
    other = File.join(work, "other")
    Dir.mkdir(other)
    File.write(File.join(other, "mine"), "x")
    assert_raises(Multispool::NotEmptyError) { Multispool.create(other, QUEUES) }
    assert_equal %w[mine], Dir.children(other)
  end

  def test_load_of_a_queue_without_its_directory_names_it
    error = assert_raises(Multispool::MissingError) { Multispool.load(dir, "incoming", "absent") }
    assert_includes error.path, "absent"
    refute_path_exists File.join(dir, "absent")
  end

  def test_a_half_made_spool_is_not_loaded_and_is_finished_by_create
    half = File.join(work, "half")
    FileUtils.mkdir_p(File.join(half, ".registry"))
    assert_raises(Multispool::NotASpoolError) { Multispool.load(half, QUEUES) }
    Multispool.create(half, QUEUES) { |spool| spool.enqueue("incoming", "x", durability: :none) }
  end

  def test_a_spool_that_needs_what_this_version_does_not_know_is_refused_by_the_word
    format = File.join(dir, ".multispool", "format")
    File.write(format, "#{File.read(format)}needs teleportation\n")
    error = assert_raises(Multispool::UnsupportedError) { Multispool.load(dir, QUEUES) }
    assert_includes error.message, "teleportation"
  end

  def test_a_spool_that_may_not_be_read_is_refused
    File.chmod(0o700, dir)
    if Process.uid.zero?
      assert_raises(Multispool::PermissionError) do
        unprivileged do
          Multispool.load(dir, QUEUES) && nil
        end
      end
    end
    File.chmod(0o000, dir) unless Process.uid.zero?
    assert_raises(Multispool::PermissionError) { unprivileged { Multispool.load(dir, QUEUES) && nil } }
  ensure
    File.chmod(0o755, dir)
  end

  def test_a_spool_in_a_directory_that_may_not_be_written_is_not_created
    closed = File.join(work, "closed")
    Dir.mkdir(closed, 0o555)
    assert_raises(Multispool::PermissionError) do
      unprivileged { Multispool.create(File.join(closed, "spool"), QUEUES) && nil }
    end
  end

  def test_a_spool_that_is_loaded_read_only_is_read_but_not_written
    put("data", metadata: "m")
    Multispool.load(dir, QUEUES, read_only: true) do |spool|
      assert_predicate spool, :read_only?
      assert_equal(["m"], spool.list("incoming").map { |entry| entry.direct.contents })
      assert_raises(Multispool::PermissionError) { spool.enqueue("incoming", "x") }
      assert_raises(Multispool::PermissionError) { spool.reserve("name") }
      assert_raises(Multispool::PermissionError) { spool.list("incoming").first.checkout }
    end
    assert_equal 1, names("incoming").size
  end

  def test_load_unsafe_checks_nothing_before_first_use
    lost = Multispool.load_unsafe(File.join(work, "missing"), QUEUES)
    assert_raises(Multispool::Error) { lost.enqueue("incoming", "x") }
    Multispool.load_unsafe(dir, QUEUES) { |spool| assert_equal [], spool.list("incoming").to_a }
  end

  def test_bad_queue_names_are_refused_before_the_disk_is_touched
    other = File.join(work, "other")
    ["", ".", "..", "a/b", ".hidden", "x" * 245, "nul\0"].each do |name|
      assert_raises(Multispool::InvalidNameError, name.inspect) { Multispool.create(other, name) }
    end
    refute_path_exists other
  end

  def test_a_path_with_a_nul_byte_is_an_invalid_argument
    assert_raises(Multispool::InvalidArgumentError) { Multispool.load("a\0b", QUEUES) }
  end

  def test_options_with_unknown_words_are_refused_with_the_words_there_are
    error = assert_raises(Multispool::InvalidArgumentError) { Multispool.create(dir, QUEUES, durability: :maybe) }
    assert_includes error.message, ":full"
    assert_raises(Multispool::InvalidArgumentError) { Multispool.create(dir, QUEUES, owners: :nobody) }
    assert_raises(Multispool::InvalidArgumentError) { Multispool.create(dir, QUEUES, mode: :cloud) }
    assert_raises(TypeError) { Multispool.create(42, QUEUES) }
    assert_raises(TypeError) { Multispool.create(dir, 42) }
  end

  def test_every_option_is_understood
    other = File.join(work, "other")
    Multispool.create(other, QUEUES, durability: :none, owners: :mixed, mode: :local, max_concurrent: 2,
                                     file_mode: 0o640, dir_mode: 0o750, group: Process.gid,
                                     allow_world_writable: false) do |spool|
      assert_equal :none, spool.durability
      name = spool.enqueue("incoming", "x").name
      assert_equal 0o640, File.stat(File.join(other, "incoming", name)).mode & 0o777
      assert_equal 0o750, File.stat(File.join(other, "incoming")).mode & 0o777
    end
    assert_includes File.read(File.join(other, ".multispool", "format")), "owners mixed"
  end

  def test_inspect_tells_where_it_is
    assert_includes spool.inspect, dir
    assert_includes spool.inspect, "incoming"
  end
end
