# frozen_string_literal: true

require_relative "spool_case"

# The list of native functions is read as text: what FFI makes of a mark cannot be asked for afterwards.
class NativeTest < Minitest::Test
  SOURCE = File.read(File.expand_path("../lib/multispool/native.rb", __dir__))
  DECLARATIONS = SOURCE.scan(
    /attach_function :(\w+), :(\w+),\s+(?:%i\[([\w ]*)\]|\[([\w: ]*)\]),\s+:(\w+)(,\s+blocking: true)?$/
  )

  # What only looks at memory, or changes it.
  IN_MEMORY = %w[
    version version_string format_version status_name buffer_data buffer_free entry_create entry_name entry_queue
    entry_free spool_dir spool_queue_count spool_queue spool_durability spool_read_only checkout_name checkout_queue
    checkout_metadata checkout_finished checkout_update data_file_path monitor_spec_to_json monitor_spec_from_json
    daemon_until_check_ms plan_steps batch_size batch_name batch_status
  ].freeze

  def test_every_declaration_is_read_by_this_test
    assert_equal SOURCE.scan("attach_function").size, DECLARATIONS.size
  end

  def test_every_function_that_touches_the_disk_or_waits_is_blocking
    forgotten = DECLARATIONS.filter_map { |name, *, blocking| name unless blocking || in_memory?(name) }
    assert_empty forgotten
  end

  def test_no_function_returns_a_string_that_would_be_copied_and_leaked
    assert_empty(DECLARATIONS.filter_map { |name, *, result, _| name if result == "string" })
  end

  def test_no_blocking_function_takes_a_string_that_the_collector_may_move_meanwhile
    takers = DECLARATIONS.select { |parts| parts.last && parts.values_at(2, 3).join.include?("string") }
    assert_empty takers
  end

  def test_every_function_is_called_as_the_library_calls_it
    DECLARATIONS.each { |name, symbol| assert_equal "multispool_#{name}", symbol }
  end

  def test_the_module_holds_nothing_but_attached_functions
    body = SOURCE[/ffi_lib Library\.open\n(.*)  end\nend\n\z/m, 1]
    statements = body.gsub(/,\n\s+/, ", ").lines.map(&:strip).reject(&:empty?)
    assert(statements.all? { |line| line.start_with?("attach_function ") })
  end

  def test_the_parameters_are_those_of_the_header
    header = File.expand_path("../../../include/multispool.h", __dir__)
    text = File.read(header).gsub(%r{/\*.*?\*/|//[^\n]*}m, "")
    DECLARATIONS.each do |_, symbol, many, few|
      declared = text[/\b#{symbol}\(([^)]*)\)/m, 1]
      assert declared, "#{symbol} is not in the header"
      expected = declared.strip == "void" ? 0 : declared.split(",").size
      assert_equal expected, (many || few).split.size, symbol
    end
  end

  private

  def in_memory?(name)
    IN_MEMORY.include?(name) || name.match?(/\A(error|stats|limits|problems|event|repaired|steps)_(?!options)\w+\z/) ||
      name.match?(/_options_(new|free|set_\w+|from_json|to_json|check_every_ms|alert_after_cycles)\z/)
  end
end
