// Package conference is the vocabulary of mod_conference, both ways: what it
// prints and reports becomes values, and values become the arguments of its api
// command and of its dialplan application. So it is for what calls somebody into
// a conference: dial strings, and "originate". It has no socket: package esl
// carries the words.
package conference
