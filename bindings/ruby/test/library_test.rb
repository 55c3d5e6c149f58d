# frozen_string_literal: true

require_relative "spool_case"
require "open3"
require "rbconfig"

class LibraryTest < Minitest::Test
  LIB = File.expand_path("../lib", __dir__)

  def test_the_library_in_use_has_the_version_of_the_gem
    assert_equal Multispool::VERSION, Multispool.library_version
    assert_operator Multispool.format_version, :>=, 1
  end

  def test_another_major_is_refused_with_words
    error = assert_raises(Multispool::LibraryError) { Multispool::Library.check_version(0x010203, "lib.so") }
    assert_equal "lib.so is multispool 1.2.3, but this gem (#{Multispool::VERSION}) needs 0.1 or a later 0.x: " \
                 "install that version of the library, or name one in MULTISPOOL_LIBRARY", error.message
  end

  def test_a_library_of_another_version_is_refused_when_the_gem_is_loaded
    Dir.mktmpdir do |made|
      library = File.join(made, "libmultispool.so.0")
      source = "#include <stdint.h>\nuint32_t multispool_version(void) { return 0x010203; }\n"
      messages, status = Open3.capture2e("cc", "-shared", "-fPIC", "-x", "c", "-", "-o", library, stdin_data: source)
      assert_predicate status, :success?, messages
      message, status = require_with("MULTISPOOL_LIBRARY" => library)
      refute_predicate status, :success?
      assert_includes message, "#{library} is multispool 1.2.3, but this gem (#{Multispool::VERSION}) needs 0.1"
    end
  end

  def test_an_older_minor_is_refused
    assert_raises(Multispool::LibraryError) { Multispool::Library.check_version(0x000009, "lib.so") }
  end

  def test_a_newer_minor_or_patch_is_accepted
    assert_nil Multispool::Library.check_version(0x000105, "lib.so")
    assert_nil Multispool::Library.check_version(0x000700, "lib.so")
  end

  def test_a_library_named_in_the_environment_that_is_not_there_is_named_in_the_error
    message, status = require_with("MULTISPOOL_LIBRARY" => "/nowhere/libmultispool.so.0")
    refute_predicate status, :success?
    assert_includes message, "/nowhere/libmultispool.so.0"
    assert_includes message, "Multispool::LibraryError"
  end

  def test_a_library_that_is_not_ours_is_refused
    message, status = require_with("MULTISPOOL_LIBRARY" => "libc.so.6")
    refute_predicate status, :success?
    assert_includes message, "libc.so.6 is not the multispool library"
  end

  def test_the_environment_comes_before_the_copy_in_the_gem_and_that_before_the_system
    Dir.mktmpdir do |gem|
      FileUtils.cp_r(LIB, gem)
      packed = File.join(gem, "lib/multispool/libmultispool.so.0")
      paths = -> { run_ruby(<<~RUBY, {}, lib: File.join(gem, "lib")).first.split("\n") }
        require "multispool/library"
        ENV["MULTISPOOL_LIBRARY"] = "named.so"
        puts Multispool::Library.path
        ENV["MULTISPOOL_LIBRARY"] = ""
        puts Multispool::Library.path
      RUBY
      assert_equal ["named.so", "libmultispool.so.0"], paths.call
      FileUtils.touch(packed)
      assert_equal ["named.so", packed], paths.call
    end
  end

  private

  def require_with(environment)
    run_ruby('require "multispool"', environment)
  end

  def run_ruby(script, environment, lib: LIB)
    Open3.capture2e({ "RUBYLIB" => nil }.merge(environment), RbConfig.ruby, "-I", lib, "-e", script)
  end
end
