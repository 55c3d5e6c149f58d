#!/usr/bin/env ruby
# frozen_string_literal: true

# Puts files into the queue `incoming` of a spool: the path is the metadata, the contents are the data.
#
#     ruby producer.rb SPOOL FILE...
#     … | ruby producer.rb SPOOL -        standard input, as one entry
#
# Prints the name of each entry once it is safe on disk: from then on it survives a loss of power.
# Exit status: 0 done, 1 some file failed, 2 wrong usage.

$LOAD_PATH.unshift(File.expand_path("../../bindings/ruby/lib", __dir__))
require "multispool"
require "pathname"

abort_usage = -> { warn("usage: producer.rb SPOOL FILE...") || exit(2) }
abort_usage.call if ARGV.size < 2

directory, *files = ARGV
failed = false

Multispool.create(directory, :incoming, :done) do |spool|
  files.each do |file|
    data = file == "-" ? $stdin.binmode : Pathname.new(file)
    puts spool.enqueue(:incoming, data, metadata: file).name
  rescue Multispool::NotDurableError => e
    # It is in the queue: enqueuing it again would make a second one.
    failed = true
    warn "#{e.message} (#{e.name})"
  rescue Multispool::Error => e
    failed = true
    warn e.message
  end
end

exit(failed ? 1 : 0)
