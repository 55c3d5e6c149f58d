# frozen_string_literal: true

# A verb or a status, and values by their keys: any bytes, percent-encoded.
class Line
  attr_reader :word, :values

  def self.parse(text)
    word, *pairs = text.split
    new(word, *pairs.map do |pair|
      key, value = pair.split("=", 2)
      [key, value.b.gsub(/%(\h\h)/n) { [Regexp.last_match(1)].pack("H2") }]
    end)
  end

  def initialize(word, *values)
    @word = word
    @values = values
  end

  def with(key, value)
    Line.new(word, *values, [key, value])
  end

  # The first value of a key.
  def [](key)
    values.assoc(key)&.last
  end

  def all(key)
    values.filter_map { |its, value| value if its == key }
  end

  def to_s
    [word, *values.map { |key, value| "#{key}=#{encode(value)}" }].join(" ")
  end

  private

  def encode(value)
    value.to_s.b.gsub(%r{[^A-Za-z0-9._\-/:,\{\}"]}n) { |byte| format("%%%02X", byte.ord) }
  end
end
