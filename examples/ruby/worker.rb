#!/usr/bin/env ruby
# frozen_string_literal: true

# Takes entries out of the queue `incoming` of a spool, works out the digest of their data, writes it into the metadata
# and saves them to `done`. Start as many as you like: each entry goes to one of them.
#
#     ruby worker.rb SPOOL [SECONDS]
#
# Waits for more until SIGTERM or SIGINT, or until none came for SECONDS. The entry in hand is finished first. An entry
# whose worker dies goes back to its queue by `recover`, which each worker calls at its start.

$LOAD_PATH.unshift(File.expand_path("../../bindings/ruby/lib", __dir__))
require "multispool"
require "digest/sha2"

abort_usage = -> { warn("usage: worker.rb SPOOL [SECONDS]") || exit(2) }
abort_usage.call unless [1, 2].include?(ARGV.size)

directory, seconds = ARGV
stop = Multispool::Stop.new
%w[TERM INT].each { |signal| trap(signal) { stop.trigger } }
$stdout.sync = true

def digest_of(checkout)
  checkout.data_io do |io|
    digest = Digest::SHA256.new
    while (chunk = io.read(256 * 1024))
      digest << chunk
    end
    digest.hexdigest
  end
end

Multispool.load(directory, :incoming, :done) do |spool|
  spool.recover.each { |entry| puts "recovered #{entry.name}" }

  spool.reader(:incoming) do |reader|
    # What raises in here gives the entry back; what is not saved or removed goes back too.
    reader.each(stop:, timeout: seconds && Float(seconds)) do |checkout|
      digest = digest_of(checkout)
      # A worker that died between the two steps of its save has written the line already.
      checkout.update { |metadata| "#{metadata.sub(/\nsha256 \h{64}\z/n, '')}\nsha256 #{digest}" }
      checkout.save(:done)
      puts "#{checkout.name} #{digest}"
    end
  end
end
