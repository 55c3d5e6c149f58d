# frozen_string_literal: true

require_relative "spool_case"
require "json"
require "open3"
require "rbconfig"
require "time"

# The mail drop of the examples, run as a mail server runs it.
class MailDropTest < SpoolCase
  SCRIPT = File.expand_path("../../../examples/ruby/mail_drop.rb", __dir__)

  def test_a_mail_is_dropped_byte_for_byte_with_what_is_to_be_known_of_it
    mail = "From: me\r\nSubject: a long\r\n subject\r\nmessage-id: <1@x>\r\n\r\nSubject: body\r\n\xFF\0".b
    name, status = drop(mail, "me@x", "you@x")
    assert_predicate status, :success?
    entry = spool.list("incoming").first
    assert_equal entry.name, name.chomp
    assert_equal mail, entry.direct.data_file.load
    metadata = JSON.parse(entry.direct.contents)
    assert_equal ["me@x", "you@x", "a long subject", "<1@x>"],
                 metadata.values_at("sender", "recipient", "subject", "message_id")
    assert_in_delta Time.now.to_i, Time.parse(metadata["received"]).to_i, PATIENCE
  end

  def test_a_mail_larger_than_a_chunk_and_one_without_a_header
    body = "x" * 600_000
    [body, "A: b\n\n#{body}", "A: b\n", ""].each do |mail|
      name, = drop(mail)
      entry = spool.entry("incoming", name.chomp)
      assert_equal mail, entry.direct.data_file.load
      assert_nil JSON.parse(entry.direct.contents)["subject"]
    end
  end

  def test_a_server_is_told_to_try_again_where_the_mail_cannot_be_dropped
    FileUtils.rm_rf(File.join(dir, ".registry"))
    FileUtils.touch(File.join(dir, "something else"))
    _, messages, status = Open3.capture3(RbConfig.ruby, SCRIPT, dir, stdin_data: "x")
    assert_equal 75, status.exitstatus
    assert_includes messages, dir
  end

  def test_wrong_usage_is_told
    _, messages, status = Open3.capture3(RbConfig.ruby, SCRIPT)
    assert_equal 64, status.exitstatus
    assert_includes messages, "usage:"
  end

  private

  def drop(mail, *arguments)
    Open3.capture2(RbConfig.ruby, SCRIPT, dir, *arguments, stdin_data: mail, binmode: true)
  end
end
