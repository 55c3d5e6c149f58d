# frozen_string_literal: true

# Runs every test in one process: MULTISPOOL_LIBRARY=…/libmultispool.so.0 ruby test/run_all.rb
require "minitest/autorun"
Dir[File.join(__dir__, "*_test.rb")].each { |file| require file }
