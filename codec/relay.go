package codec

// Relay is an Encoder whose decoder remembers what it has decoded, so that
// another encoder's payloads cannot follow at any moment. A listener may change
// from the encoder of a mix that many hear to one of his own and back: the two
// calls see to it that his decoder goes on as if nothing had happened. Both
// encoders are of the same format.
type Relay interface {
	Encoder
	// Continue makes this encoder's next payload follow the payloads of another
	// one; what this encoder did before is forgotten. ahead says that the other
	// has encoded the frame that is to come now already.
	Continue(from Encoder, ahead bool)
	// Admits says whether a decoder that has followed another encoder may be
	// given the payload that this one made last, unheard; the other has not
	// encoded that frame. It is for encoders that many follow: nothing they hear
	// changes. When it says yes, the other counts as having made that payload;
	// once it says for good, the other is needed no longer. Until then ask with
	// each frame, and let the other encode it when the answer is no.
	Admits(from Encoder) (yes, forGood bool)
}

// Pooled is a Relay that goes from one stream to another: Continue makes it the
// successor of any encoder of its format, and Renew the first of a stream.
type Pooled interface {
	Relay
	// Renew forgets everything. The next payload depends on none before it.
	Renew()
}

// Renewable is a Decoder that goes from one stream to another.
type Renewable interface {
	Decoder
	// Renew forgets everything.
	Renew()
}

// Recoverer is a Decoder that finds in a payload what the one before it, which
// was lost, had to say.
type Recoverer interface {
	Decoder
	// Recover writes the frame before next, as long as dst, and says how many
	// samples: 0 when next has nothing of it. It comes before next is decoded.
	Recover(dst []int16, next []byte) (n int)
}
