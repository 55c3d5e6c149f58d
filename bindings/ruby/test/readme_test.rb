# frozen_string_literal: true

require "minitest/autorun"
require "open3"
require "rbconfig"
require "tmpdir"

# Each script of the README, run in an empty directory, prints what the README says.
class ReadmeTest < Minitest::Test
  LIB = File.expand_path("../lib", __dir__)
  README = File.read(File.expand_path("../README.md", __dir__))
  SCRIPTS = README.scan(/^```ruby\n(.*?)^```\n(?:```text\n(.*?)^```\n)?/m)

  def test_there_is_a_script_for_each_use
    assert_operator SCRIPTS.size, :>=, 11
    assert_equal README.scan(/^```ruby$/).size, SCRIPTS.size
  end

  SCRIPTS.each_with_index do |(script, printed), number|
    define_method("test_script_#{number + 1}_prints_what_the_readme_says") do
      Dir.mktmpdir do |room|
        output, status = Open3.capture2e(RbConfig.ruby, "-I", LIB, "-e", script, chdir: room, stdin_data: "")
        assert_predicate status, :success?, output
        assert_equal printed, output
      end
    end
  end
end
