package sound

import (
	"fmt"
	"strconv"
	"time"
)

// MaxNumber is the largest number that can be spoken.
const MaxNumber = 999

// phraseGap is the silence between the words of a phrase.
const phraseGap = 30 * time.Millisecond

// Number lists the prompts that speak n in English, nil for an n outside 0 to
// MaxNumber.
func Number(n int) []string {
	if n < 0 || n > MaxNumber {
		return nil
	}
	var words []string
	if n >= 100 {
		words = append(words, digits(n/100), "hundred")
		if n %= 100; n == 0 {
			return words
		}
	}
	if n > 20 {
		words = append(words, digits(n-n%10))
		if n %= 10; n == 0 {
			return words
		}
	}
	return append(words, digits(n))
}

func digits(n int) string { return "number-" + strconv.Itoa(n) }

// Count lists the prompts that say how many participants there are, nil for an n
// outside 0 to MaxNumber.
func Count(n int) []string {
	if n == 1 {
		return []string{"there-is-one", "participant"}
	}
	number := Number(n)
	if number == nil {
		return nil
	}
	return append(append([]string{"there-are"}, number...), "participants")
}

// newPhrase reads the number and lists its prompts.
func newPhrase(text string, words func(int) []string) (source, error) {
	n, err := strconv.Atoi(text)
	names := words(n)
	if err != nil || names == nil {
		return nil, fmt.Errorf("%w: %q is not a number from 0 to %d", ErrSpec, clipped(text), MaxNumber)
	}
	s := sequence{gap: phraseGap}
	for _, name := range names {
		f, err := newFile(name)
		if err != nil {
			return nil, err
		}
		s.parts = append(s.parts, f)
	}
	return s, nil
}
