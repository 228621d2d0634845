package audiosocket

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// streams are byte streams and what they hold; FuzzParser begins with them.
func streams() []stream {
	return []stream{
		{name: "uuid", in: append([]byte{1, 0, 16}, "0123456789abcdef"...), want: []string{"uuid 16"}},
		{name: "digit", in: []byte{3, 0, 1, '5'}, want: []string{"digit 1"}},
		{name: "audio of both rates", in: slices.Concat(audio(KindSLIN8, 320), audio(KindSLIN16, 640)), want: []string{"slin8 320", "slin16 640"}},
		{name: "an empty audio frame", in: audio(KindSLIN16, 0), want: []string{"slin16 0"}},
		{name: "hangup", in: []byte{0, 0, 0}, want: []string{"hangup 0"}},
		{name: "error with a code", in: []byte{0xff, 0, 1, 2}, want: []string{"error 1"}},
		{name: "an unknown kind is skipped whole", in: []byte{0x42, 0, 2, 9, 9, 3, 0, 1, '1'}, want: []string{"kind 0x42 2", "digit 1"}},
		{name: "cut in the header", in: []byte{0x12, 2}, want: nil},
		{name: "cut in the payload", in: audio(KindSLIN16, 640)[:100], want: nil},
		{name: "too long", in: []byte{0x12, 0x19, 0x02}, err: ErrTooLarge},
		{name: "the longest length there is", in: []byte{0x12, 0xff, 0xff}, err: ErrTooLarge},
		{name: "half a sample", in: []byte{0x10, 0, 3, 1, 2, 3}, err: ErrFrame},
		{name: "a digit of two bytes", in: []byte{3, 0, 2, '1', '2'}, err: ErrFrame},
		{name: "a digit of none", in: []byte{3, 0, 0}, err: ErrFrame},
	}
}

type stream struct {
	name string
	in   []byte
	want []string
	err  error
}

func audio(k Kind, n int) []byte { return AppendFrame(nil, k, make([]byte, n)) }

// parse runs in through a Parser in pieces of at most step bytes.
func parse(t testing.TB, in []byte, step int) ([]string, error) {
	t.Helper()
	var p Parser
	var got []string
	size := 0
	for chunk := range slices.Chunk(in, step) {
		for {
			piece, rest, ok, err := p.Next(chunk)
			if err != nil {
				return got, err
			}
			if !ok {
				break
			}
			size += len(piece.Data)
			if piece.Last {
				if size != piece.Size {
					t.Errorf("%v came as %d bytes, its header says %d", piece.Kind, size, piece.Size)
				}
				got = append(got, fmt.Sprintf("%v %d", piece.Kind, size))
				size = 0
			}
			chunk = rest
		}
	}
	return got, nil
}

func TestParserGivesTheSameFramesHoweverTheStreamIsCut(t *testing.T) {
	for _, s := range streams() {
		for _, step := range []int{1, 2, 3, 5, 643, 1 << 20} {
			got, err := parse(t, s.in, step)
			if !slices.Equal(got, s.want) || !errors.Is(err, s.err) {
				t.Errorf("%s in steps of %d: %q, %v; want %q, %v", s.name, step, got, err, s.want, s.err)
			}
		}
	}
}

func FuzzParser(f *testing.F) {
	for _, s := range streams() {
		f.Add(s.in, 7)
	}
	f.Fuzz(func(t *testing.T, in []byte, step int) {
		step = max(1, min(step, 1<<20))
		whole, wholeErr := parse(t, in, 1<<20)
		cut, cutErr := parse(t, in, step)
		if !slices.Equal(whole, cut) || (wholeErr == nil) != (cutErr == nil) {
			t.Errorf("at once %q, %v; in steps of %d %q, %v", whole, wholeErr, step, cut, cutErr)
		}
	})
}

func TestReadFrameReadsWhatAppendFrameWrote(t *testing.T) {
	wire := AppendFrame(AppendFrame(nil, KindDigit, []byte("#")), KindSLIN8, []byte{1, 2, 3, 4})
	r := bytes.NewReader(wire)
	buf := make([]byte, 4)
	for _, want := range []struct {
		kind    Kind
		payload []byte
	}{{KindDigit, []byte("#")}, {KindSLIN8, []byte{1, 2, 3, 4}}} {
		k, b, err := ReadFrame(r, buf)
		if err != nil || k != want.kind || !bytes.Equal(b, want.payload) {
			t.Fatalf("got %v %v, %v; want %v %v", k, b, err, want.kind, want.payload)
		}
	}
	if _, _, err := ReadFrame(r, buf); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v, want io.EOF", err)
	}
}

func TestReadFrameFails(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []byte
		err  error
	}{
		{"longer than the buffer", []byte{1, 0, 17}, ErrTooLarge},
		{"cut in the header", []byte{1, 0}, io.ErrUnexpectedEOF},
		{"cut before the payload", []byte{1, 0, 2}, io.ErrUnexpectedEOF},
		{"cut in the payload", []byte{1, 0, 2, 7}, io.ErrUnexpectedEOF},
	} {
		if _, _, err := ReadFrame(bytes.NewReader(c.in), make([]byte, 16)); !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
		}
	}
}

func TestUUIDText(t *testing.T) {
	u, err := ParseUUID("08a0a205-cf4b-4cb6-ad1f-d481e36139b8")
	if err != nil || u[0] != 0x08 || u[15] != 0xb8 || u.String() != "08a0a205-cf4b-4cb6-ad1f-d481e36139b8" {
		t.Errorf("got %v, %v", u, err)
	}
	for _, bad := range []string{"", "08a0a205cf4b4cb6ad1fd481e36139b8", "08a0a205-cf4b-4cb6-ad1f-d481e36139bg", strings.Repeat("-", 36)} {
		if _, err := ParseUUID(bad); !errors.Is(err, ErrFrame) {
			t.Errorf("%q: %v, want ErrFrame", bad, err)
		}
	}
	a, b := NewUUID(), NewUUID()
	if a == b || a[6]>>4 != 4 || a[8]>>6 != 2 {
		t.Errorf("%v and %v should be two random UUIDs of version 4", a, b)
	}
}
