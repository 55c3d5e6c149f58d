#!/usr/bin/env ruby
# frozen_string_literal: true

# Takes one mail from standard input and drops it into the queue `incoming` of a spool, as a mail server's pipe:
#
#     ruby mail_drop.rb SPOOL [SENDER [RECIPIENT]] < mail
#
# The mail is the data, byte for byte; the metadata is a JSON object of what a worker wants to know before it opens it:
# sender, recipient, subject, message_id and received, each a string or null.
# Exit status, as mail servers read it (sysexits.h): 0 the mail is safe on disk, 64 wrong usage, 75 not now: try again.

$LOAD_PATH.unshift(File.expand_path("../../bindings/ruby/lib", __dir__))
require "multispool"
require "stringio"
require "time"

USAGE = 64
TRY_AGAIN = 75

MAIL = Multispool::Spoolable.new(:incoming, :done, metadata: :json)

# The first value of a header field, its lines joined; nil where there is none.
def field(header, name)
  value = header[/^#{Regexp.escape(name)}:[ \t]*(.*(?:\n[ \t].*)*)/in, 1]
  value&.gsub(/\s*\n[ \t]+/n, " ")&.force_encoding("UTF-8")&.scrub
end

# Reads up to the empty line that ends the header, and no further.
def read_header(input)
  lines = []
  lines << input.gets until input.eof? || lines.last&.match?(/\A\r?\n\z/n)
  lines.join
end

# The header that was read, and the rest of the mail, as one stream.
Mail = Struct.new(:header, :rest) do
  def read(length)
    header.eof? ? rest.read(length) : header.read(length)
  end
end

unless [1, 2, 3].include?(ARGV.size)
  warn "usage: mail_drop.rb SPOOL [SENDER [RECIPIENT]] < mail"
  exit USAGE
end

directory, sender, recipient = ARGV

begin
  input = $stdin.binmode
  header = read_header(input)
  text = header.delete("\r")
  metadata = { sender:, recipient:, subject: field(text, "Subject"), message_id: field(text, "Message-ID"),
               received: Time.now.utc.iso8601 }
  MAIL.create(directory) do |spool|
    puts spool.enqueue(:incoming, Mail.new(StringIO.new(header), input), metadata:).name
  end
rescue Multispool::NotDurableError => e
  # It is in the queue, but a loss of power may take it. The server tries again: a mail twice is better than none.
  warn "#{e.message} (#{e.name})"
  exit TRY_AGAIN
rescue Multispool::Error, SystemCallError => e
  warn e.message
  exit TRY_AGAIN
end
