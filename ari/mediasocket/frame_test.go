package mediasocket

import (
	"bytes"
	"errors"
	"testing"
)

// message is what a server sends whole, without a mask.
func message(op Op, payload []byte) []byte {
	head := []byte{0x80 | byte(op)}
	switch n := len(payload); {
	case n < 126:
		head = append(head, byte(n))
	default:
		head = append(head, 126, byte(n>>8), byte(n))
	}
	return append(head, payload...)
}

// frames are those of a stream, each put together from its pieces.
func frames(p *Parser, in []byte, step int) (ops []Op, payloads [][]byte, err error) {
	var now, aside []byte
	for len(in) > 0 {
		n := min(step, len(in))
		for b := in[:n]; ; {
			piece, rest, ok, err := p.Next(b)
			if err != nil {
				return ops, payloads, err
			}
			if !ok {
				break
			}
			at := &now
			if piece.Op.control() {
				at = &aside
			}
			if *at = append(*at, piece.Data...); piece.Last {
				ops, payloads, *at = append(ops, piece.Op), append(payloads, *at), nil
			}
			b = rest
		}
		in = in[n:]
	}
	return ops, payloads, nil
}

func TestFramesHoweverTheyAreCut(t *testing.T) {
	long := bytes.Repeat([]byte{7}, 640)
	in := append(message(OpText, []byte("MEDIA_START a:b")), message(OpBinary, long)...)
	in = append(in, 0x02, 2, 'x', 'y') // a message in three frames, a ping in between
	in = append(in, message(OpPing, nil)...)
	in = append(in, 0x00, 1, 'z', 0x80, 0)
	in = append(in, message(OpClose, []byte{3, 232})...)
	for step := 1; step < len(in); step += 1 + step/3 {
		ops, payloads, err := frames(&Parser{}, in, step)
		if err != nil || len(ops) != 5 {
			t.Fatalf("cut every %d bytes: %v, %v", step, ops, err)
		}
		if !bytes.Equal(payloads[1], long) || string(payloads[3]) != "xyz" || ops[2] != OpPing || ops[3] != OpBinary {
			t.Errorf("cut every %d bytes: %v, %.20q", step, ops, payloads)
		}
	}
}

func TestFramesThatEndTheConnection(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []byte
		err  error
	}{
		{"a mask", []byte{0x82, 0x80, 0, 0, 0, 0}, ErrFrame},
		{"a reserved bit", []byte{0xC2, 0}, ErrFrame},
		{"no such opcode", []byte{0x83, 0}, ErrFrame},
		{"no such control opcode", []byte{0x8B, 0}, ErrFrame},
		{"a continuation of nothing", []byte{0x80, 0}, ErrFrame},
		{"a message within another", []byte{0x02, 0, 0x82, 0}, ErrFrame},
		{"a ping in pieces", []byte{0x09, 0}, ErrFrame},
		{"a long ping", []byte{0x89, 126, 0, 126}, ErrTooLarge},
		{"a long text", []byte{0x81, 126, 0x08, 0x01}, ErrTooLarge},
		{"a huge message", []byte{0x82, 127, 0xFF, 0, 0, 0, 0, 0, 0, 0}, ErrTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, _, err := frames(&Parser{}, c.in, 1); !errors.Is(err, c.err) {
				t.Errorf("%v, want %v", err, c.err)
			}
		})
	}
}

func FuzzParser(f *testing.F) {
	f.Add(append(message(OpText, []byte("STATUS queue_length:3")), message(OpBinary, make([]byte, 640))...), 3)
	f.Add([]byte{0x02, 2, 1, 2, 0x89, 0, 0x80, 1, 3}, 1)
	f.Add([]byte{0x82, 127, 0, 0, 0, 0, 0, 0, 0, 5, 1, 2, 3}, 2)
	f.Fuzz(func(t *testing.T, in []byte, step int) {
		whole, texts, err := frames(&Parser{}, in, max(1, len(in)))
		cut, others, cutErr := frames(&Parser{}, in, max(1, step%64))
		if len(whole) != len(cut) || (err == nil) != (cutErr == nil) {
			t.Fatalf("whole: %v, %v; cut: %v, %v", whole, err, cut, cutErr)
		}
		for i := range whole {
			if whole[i] != cut[i] || !bytes.Equal(texts[i], others[i]) {
				t.Errorf("frame %d differs", i)
			}
		}
	})
}

func TestWords(t *testing.T) {
	for _, c := range []struct {
		in    string
		word  Word
		queue int
	}{
		{"MEDIA_START connection_id:x channel:WebSocket/INCOMING/1 format:slin16 optimal_frame_size:640 ptime:20", WordStart, -1},
		{`{"event":"MEDIA_START","format":"slin16","channel_variables":{}}`, WordStart, -1},
		{"MEDIA_XOFF", WordStop, -1},
		{`{"event": "MEDIA_XON", "channel_id":"1"}`, WordGo, -1},
		{"STATUS queue_length:17 xon_level:800 xoff_level:900 queue_full:false", WordStatus, 17},
		{`{"event":"STATUS","queue_length":17,"xon_level":800}`, WordStatus, 17},
		{`{"event":"STATUS","queue_length":"x"}`, WordStatus, -1},
		{"STATUS", WordStatus, -1},
		{"STATUS queue_length:99999999999999999999", WordStatus, -1},
		{"STATUS queue_length:-4", WordStatus, -1},
		{"DTMF_END digit:9", WordOther, -1},
		{"", WordOther, -1},
		{"{", WordOther, -1},
		{`{"event"`, WordOther, -1},
	} {
		if word, queue := ParseText([]byte(c.in)); word != c.word || queue != c.queue {
			t.Errorf("%q: %d with %d, want %d with %d", c.in, word, queue, c.word, c.queue)
		}
	}
}

func FuzzParseText(f *testing.F) {
	for _, in := range []string{
		"MEDIA_START format:slin16", `{"event":"STATUS","queue_length":3}`, "STATUS queue_length:900 x", "{\"event\":\t", "STATUS queue_length:",
	} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		before := bytes.Clone(in)
		word, queue := ParseText(in)
		if queue < -1 || queue >= 1_000_000 || queue >= 0 && word != WordStatus {
			t.Errorf("word %d, queue %d", word, queue)
		}
		if !bytes.Equal(before, in) {
			t.Error("the input was changed")
		}
	})
}
