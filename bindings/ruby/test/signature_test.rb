# frozen_string_literal: true

require_relative "spool_case"
require "open3"
require "rbconfig"
gem "rbs"
require "rbs"

# The signatures in sig/: they make sense, leave nothing out, and are what the code does.
class SignatureTest < Minitest::Test
  SOURCE = File.expand_path("..", __dir__)
  SIGNATURES = File.join(SOURCE, "sig")
  # Modules that are public to Ruby, and not for use.
  INTERNAL = %i[Bytes Call Library Native].freeze

  # The tests that are run with every call and answer compared with its signature.
  TYPED = %w[batch checkout codec create_load data enqueue entry failing_disk fork lease list monitor reader
             recover_stats repair reserve spoolable stop worker].freeze
  # What these do is wrong on purpose; or they hold an enumerator that has no end, which the comparison would walk.
  WRONG = /refused|is_told|no_sense|needs_a|accepted_for_a_call|no_codec|no_data|enumerable|and_checked|that_raises/
  # These say nothing of types that others do not, and take their time.
  LONG = /at_once|more_than|more_entries|more_triggers|in_threads|many_threads|processor_time|any_moment/

  def test_the_signatures_are_valid
    output, status = Open3.capture2e(RbConfig.ruby, "-e", 'gem "rbs"; load Gem.bin_path("rbs", "rbs")', "--",
                                     "-r", "pathname", "-I", SIGNATURES, "validate", "--silent")
    assert_predicate status, :success?, output
  end

  def test_every_class_and_public_method_has_its_signature_and_none_is_left_over
    assert_equal public_methods_in_code.sort, methods_in_signatures.sort
  end

  def test_every_constant_has_its_signature_and_none_is_left_over
    in_code = classes.flat_map do |owner|
      owner.constants(false).map { |name| "#{owner}::#{name}" unless internal?(owner, name) }.compact
    end
    declared = environment.constant_decls.keys + environment.class_decls.keys
    in_signatures = declared.map { |name| name.to_s.delete_prefix("::") }.grep(/\AMultispool::/)
    assert_equal in_code.sort, in_signatures.sort
  end

  def test_calls_and_answers_are_as_the_signatures_say
    load = TYPED.map { |name| "require \"./test/#{name}_test\";" }.join
    settings = { "RBS_TEST_TARGET" => "Multispool,Multispool::*", "RBS_TEST_OPT" => "-r pathname -I sig",
                 "RBS_TEST_LOGLEVEL" => "error" }
    output, status = Open3.capture2e(settings, RbConfig.ruby, "-r", "ffi", "-e",
                                     "gem 'rbs'; require 'rbs/test/setup'; #{load}", "--", "--exclude",
                                     Regexp.union(WRONG, LONG).inspect, chdir: SOURCE)
    assert_predicate status, :success?, output
    assert_operator output[/^(\d+) runs/, 1].to_i, :>, 100
  end

  private

  def environment
    @environment ||= begin
      loader = RBS::EnvironmentLoader.new
      loader.add(library: "pathname", version: nil)
      loader.add(path: Pathname(SIGNATURES))
      RBS::Environment.from_loader(loader).resolve_type_names
    end
  end

  def internal?(owner, name)
    owner == Multispool && INTERNAL.include?(name)
  end

  # Multispool, and every public module in it.
  def classes(owner = Multispool)
    inner = owner.constants(false).reject { |name| internal?(owner, name) }.map { |name| owner.const_get(name) }
    [owner] + inner.grep(Module).uniq.flat_map { |found| classes(found) }
  end

  def public_methods_in_code
    classes.flat_map { |owner| methods_of_objects(owner) + methods_of_class(owner) }
  end

  def methods_of_objects(owner)
    names = owner.public_instance_methods(false) + owner.private_instance_methods(false).grep(:initialize)
    documented(owner, names.map { |name| owner.instance_method(name) }).map { |name| "#{owner}##{name}" }
  end

  def methods_of_class(owner)
    methods = owner.singleton_methods(false).map { |name| owner.method(name) }
    documented(owner, methods).map { |name| "#{owner}.#{name}" }
  end

  # @return the names of those that are for use
  def documented(owner, methods)
    methods.reject { |method| generated?(owner, method) || private_api?(method) }.map(&:name)
  end

  # What Struct makes besides the readers.
  def generated?(owner, method)
    return false unless owner < Struct && method.source_location.nil?

    !owner.members.include?(method.name)
  end

  # Whether the comment above it says so.
  def private_api?(method)
    file, line = method.source_location
    return false unless file

    @sources ||= Hash.new { |sources, path| sources[path] = File.readlines(path) }
    @sources[file].first(line - 1).reverse.take_while { |text| text.match?(/\A\s*#/) }.any?(/@api private/)
  end

  def methods_in_signatures
    environment.class_decls.flat_map do |type, entry|
      name = type.to_s.delete_prefix("::")
      next [] unless name.match?(/\AMultispool\b/)

      entry.decls.flat_map { |decl| decl.decl.members }.filter_map { |member| signed(name, member) }
    end
  end

  def signed(owner, member)
    case member
    when RBS::AST::Members::MethodDefinition then "#{owner}#{member.singleton? ? '.' : '#'}#{member.name}"
    when RBS::AST::Members::AttrReader then "#{owner}##{member.name}"
    end
  end
end
