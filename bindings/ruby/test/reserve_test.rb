# frozen_string_literal: true

require_relative "spool_case"

class ReserveTest < SpoolCase
  def test_a_name_is_made_where_none_is_given
    name = spool.reserve
    assert_path_exists File.join(dir, ".registry", name)
    refute_equal name, spool.reserve
  end

  def test_a_name_given_is_reserved_once
    assert_equal "mine", spool.reserve("mine")
    error = assert_raises(Multispool::NameTakenError) { spool.reserve("mine") }
    assert_equal Multispool::Status::NAME_TAKEN, error.status
    assert_equal "reserve", error.operation
  end

  def test_a_generator_is_asked_again_while_its_names_are_taken
    spool.reserve("name-0")
    spool.reserve("name-1")
    attempts = []
    name = spool.reserve do |attempt|
      attempts << attempt
      "name-#{attempt}"
    end
    assert_equal "name-2", name
    assert_equal [0, 1, 2], attempts
  end

  def test_a_generator_that_repeats_itself_is_given_up_after_a_thousand_attempts
    spool.reserve("same")
    attempts = 0
    error = assert_raises(Multispool::NamesExhaustedError) do
      spool.reserve do
        attempts += 1
        "same"
      end
    end
    assert_equal 1000, attempts
    assert_equal Multispool::Status::NAMES_EXHAUSTED, error.status
  end

  def test_a_generator_that_raises_passes_its_exception_on
    assert_raises(KeyError) { spool.reserve { raise KeyError, "x" } }
    assert_raises(TypeError) { spool.reserve { 42 } }
  end

  def test_names_raced_for_by_processes_and_threads_are_reserved_once
    wanted = Array.new(200) { |number| format("name%03d", number) }
    won = Array.new(3) do
      reader, writer = IO.pipe
      pid = fork do
        reader.close
        writer.write(Marshal.dump(race_for(wanted)))
        writer.close
        exit!(0)
      end
      writer.close
      [reader, pid]
    end
    names = won.flat_map do |reader, pid|
      answer = Marshal.load(reader.read)
      Process.wait(pid)
      answer
    end
    assert_equal wanted, names.sort
  end

  private

  def race_for(wanted)
    Array.new(4) do
      Thread.new do
        wanted.select do |name|
          spool.reserve(name)
        rescue Multispool::NameTakenError
          false
        end
      end
    end.flat_map(&:value)
  end
end
