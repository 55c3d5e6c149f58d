# frozen_string_literal: true

require_relative "spool_case"
require "open3"
require "rbconfig"

# The gem, built and installed as a user would, into a directory of its own.
class GemTest < SpoolCase
  SOURCE = File.expand_path("..", __dir__)
  LIBRARY = ENV.fetch("MULTISPOOL_LIBRARY")
  SCRIPT = <<~RUBY
    require "multispool"
    puts Multispool::Library.path, $LOADED_FEATURES.grep(/multispool\\.rb\\z/), Multispool.library_version
    Multispool.load(ARGV[0], "incoming") { |spool| puts spool.enqueue("incoming", "x").name }
  RUBY

  def setup
    super
    @home = File.join(work, "home")
    @tree = File.join(work, "tree")
    FileUtils.mkdir(@tree)
    FileUtils.cp_r(%w[lib sig multispool.gemspec README.md LICENSE].map { |part| File.join(SOURCE, part) }, @tree)
  end

  def test_it_is_built_installed_and_runs_from_where_it_was_installed
    gem = build
    assert_equal "multispool-#{Multispool::VERSION}.gem", File.basename(gem)
    install(gem)
    path, source, version, name = run_script("MULTISPOOL_LIBRARY" => LIBRARY)
    assert_equal [LIBRARY, Multispool::VERSION], [path, version]
    assert_equal File.join(@home, "gems/multispool-#{Multispool::VERSION}/lib/multispool.rb"), source
    assert_equal [name], names("incoming")

    path, = run_script("LD_LIBRARY_PATH" => File.dirname(LIBRARY))
    assert_equal "libmultispool.so.0", path # the system's
  end

  def test_one_for_this_platform_carries_the_library
    FileUtils.cp(LIBRARY, File.join(@tree, "lib/multispool/libmultispool.so.0"))
    gem = build
    assert_equal "multispool-#{Multispool::VERSION}-#{Gem::Platform.local}.gem", File.basename(gem)
    install(gem)
    path, source, _, name = run_script({})
    assert_equal File.join(File.dirname(source), "multispool/libmultispool.so.0"), path
    assert_equal [name], names("incoming")
  end

  def test_it_carries_its_signatures_and_no_tests
    packed, = gem_command("specification", build, "files")
    assert_includes packed, "sig/multispool.rbs"
    refute_includes packed, "_test.rb"
  end

  private

  # @return [String] the gem's file
  def build
    gem_command("build", "multispool.gemspec", chdir: @tree)
    Dir[File.join(@tree, "*.gem")].first
  end

  def install(gem)
    gem_command("install", "--local", "--no-document", gem)
  end

  def gem_command(*arguments, chdir: work)
    output, status = execute(RbConfig.ruby, "-S", "gem", *arguments, environment: {}, chdir:)
    assert_predicate status, :success?, output
    output
  end

  def run_script(environment)
    output, status = execute(RbConfig.ruby, "-e", SCRIPT, dir, environment:, chdir: work)
    assert_predicate status, :success?, output
    output.split("\n")
  end

  # Neither the tree's files nor the library are to be found but by what was installed.
  def execute(*command, environment:, chdir:)
    clean = { "GEM_HOME" => @home, "RUBYLIB" => nil, "LD_LIBRARY_PATH" => nil, "MULTISPOOL_LIBRARY" => nil }
    Open3.capture2e(clean.merge(environment), *command, chdir:)
  end
end
