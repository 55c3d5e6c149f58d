package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"multispool.dev/multispool"
)

// line is a verb or a status, and values by their keys.
type line struct {
	word   string
	values []value
}

type value struct{ key, text string }

func ok() line { return line{word: "OK"} }

func (l line) with(key, text string) line {
	l.values = append(l.values, value{key, text})
	return l
}

func parse(text string) (line, error) {
	words := strings.Split(text, " ")
	l := line{word: words[0]}
	for _, word := range words[1:] {
		key, encoded, found := strings.Cut(word, "=")
		if !found {
			return l, fmt.Errorf("%q is no key=value", word)
		}
		text, err := decode(encoded)
		if err != nil {
			return l, err
		}
		l = l.with(key, text)
	}
	return l, nil
}

func decode(encoded string) (string, error) {
	var text strings.Builder
	for at := 0; at < len(encoded); at++ {
		if encoded[at] != '%' {
			text.WriteByte(encoded[at])
			continue
		}
		if at+3 > len(encoded) {
			return "", fmt.Errorf("%q has a %% without two hexadecimal digits", encoded)
		}
		number, err := strconv.ParseUint(encoded[at+1:at+3], 16, 8)
		if err != nil {
			return "", err
		}
		text.WriteByte(byte(number))
		at += 2
	}
	return text.String(), nil
}

const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/:,{}\""

func (l line) String() string {
	var text strings.Builder
	text.WriteString(l.word)
	for _, its := range l.values {
		text.WriteString(" " + its.key + "=")
		for at := range len(its.text) {
			if strings.IndexByte(plain, its.text[at]) >= 0 {
				text.WriteByte(its.text[at])
			} else {
				fmt.Fprintf(&text, "%%%02X", its.text[at])
			}
		}
	}
	return text.String()
}

// look is the first value of a key, and whether there is one.
func (l line) look(key string) (string, bool) {
	for _, its := range l.values {
		if its.key == key {
			return its.text, true
		}
	}
	return "", false
}

func (l line) get(key string) string {
	text, _ := l.look(key)
	return text
}

func (l line) has(key string) bool {
	_, there := l.look(key)
	return there
}

func (l line) all(key string) []string {
	var texts []string
	for _, its := range l.values {
		if its.key == key {
			texts = append(texts, its.text)
		}
	}
	return texts
}

func (l line) number(key string) (int64, error) {
	return strconv.ParseInt(l.get(key), 10, 64)
}

func (l line) milliseconds(key string) (time.Duration, error) {
	number, err := l.number(key)
	return time.Duration(number) * time.Millisecond, err
}

// durability is the option that a step asks for, if it does.
func durability[O any](l line, options []O) ([]O, error) {
	if !l.has("durability") {
		return options, nil
	}
	durabilities := map[string]multispool.Durability{
		"none": multispool.DurabilityNone, "original": multispool.DurabilityOriginal, "full": multispool.DurabilityFull,
	}
	chosen, known := durabilities[l.get("durability")]
	option, fits := any(multispool.WithDurability(chosen)).(O)
	if !known || !fits {
		return options, fmt.Errorf("durability=%s", l.get("durability"))
	}
	return append(options, option), nil
}

// hand is the handle that a step names.
func hand[T any](handles map[string]T, l line, key string) (T, error) {
	handle, there := handles[l.get(key)]
	if !there {
		return handle, fmt.Errorf("no %s %q", key, l.get(key))
	}
	return handle, nil
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}
