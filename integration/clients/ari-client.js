// Drives a Parley with npm's ari-client, and prints a line for all that it sees.
// Commands come on standard input, a line each: NAME ARGUMENT…
'use strict';
const lines = require('readline').createInterface({ input: process.stdin });
const [, , url, user, password] = process.argv;
const say = (...words) => console.log(words.join(' '));

require('ari-client').connect(url, user, password, (err, client) => {
  if (err) { say('failed', err.message); process.exit(1); }
  for (const kind of ['StasisStart', 'StasisEnd', 'ChannelCreated', 'ChannelDestroyed', 'ChannelEnteredBridge', 'ChannelLeftBridge',
    'BridgeCreated', 'BridgeDestroyed', 'ChannelTalkingStarted', 'ChannelHold', 'ChannelUnhold', 'ChannelUserevent', 'Dial', 'PlaybackStarted', 'PlaybackFinished',
    'ChannelDtmfReceived', 'RecordingStarted', 'RecordingFinished', 'RecordingFailed']) {
    client.on(kind, (e) => say(kind, (e.channel || e.peer || e.playback || {}).id || (e.recording || {}).name || '-', e.eventname || e.digit || (e.recording || {}).state || (e.playback || {}).state || e.dialstatus || (e.bridge || {}).name || '-'));
  }
  client.on('WebSocketConnected', () => say('connected'));
  client.start('panel', true, () => {});

  const commands = {
    info: async () => (await client.asterisk.getInfo()).system.version,
    bridges: async () => (await client.bridges.list()).map((b) => b.name + ':' + b.channels.length).join(',') || 'none',
    channels: async () => (await client.channels.list()).map((c) => c.id + ':' + c.state).join(',') || 'none',
    mute: (id, direction) => client.Channel(id).mute({ direction }),
    unmute: (id, direction) => client.Channel(id).unmute({ direction }),
    hold: (id) => client.Channel(id).hold(),
    unhold: (id) => client.Channel(id).unhold(),
    play: async (id, media) => (await client.Channel(id).play({ media })).id,
    playBad: async (id, media) => { try { await client.Channel(id).play({ media }); } catch (e) { return e.message.trim(); } },
    restart: (id) => client.Playback(id).control({ playbackId: id, operation: 'restart' }),
    pause: async (id) => { try { await client.Playback(id).control({ playbackId: id, operation: 'pause' }); } catch (e) { return e.message.trim(); } },
    unpause: (id) => client.Playback(id).control({ playbackId: id, operation: 'unpause' }),
    stop: (id) => client.playbacks.stop({ playbackId: id }),
    dtmf: (id, dtmf) => client.Channel(id).sendDTMF({ dtmf }),
    add: async (room, id) => (await client.bridges.create({ name: room, bridgeId: 'of-' + room })).addChannel({ channel: id }),
    moh: async (room) => { await client.bridges.startMoh({ bridgeId: room }); await client.bridges.stopMoh({ bridgeId: room }); },
    lie: async (id) => { try { await client.Channel(id).setChannelVar({ variable: 'PARLEY_ROOM', value: 'x' }); } catch (e) { return e.message.trim(); } },
    states: async () => (await client.deviceStates.list()).length + ' ' + (await client.endpoints.list()).length + ' ' + (await client.asterisk.ping()).ping,
    record: async (id, name) => (await client.Channel(id).record({ name, format: 'wav', ifExists: 'overwrite' }, client.LiveRecording(name))).state,
    recordAgain: async (id, name) => { try { await client.Channel(id).record({ name, format: 'wav' }); } catch (e) { return e.message.trim(); } },
    stopRecord: (name) => client.recordings.stop({ recordingName: name }),
    stored: async (name) => { const r = await client.recordings.getStored({ recordingName: name }); return r.name + '.' + r.format; },
    queue: async (room, id, media) => (await client.bridges.playWithId({ bridgeId: room, playbackId: id, media })).state,
    state: async (id) => (await client.playbacks.get({ playbackId: id })).state,
    create: async (endpoint, id) => (await client.channels.create({ endpoint, app: 'panel', channelId: id })).state,
    addTo: (bridge, id) => client.bridges.addChannel({ bridgeId: bridge, channel: id }),
    dial: (id) => client.channels.dial({ channelId: id, timeout: 20 }),
    snoop: async (id, snoopId) => (await client.Channel(id).snoopChannelWithId({ snoopId, app: 'panel', spy: 'both', whisper: 'out' }, client.Channel(snoopId))).name,
    hangup: (id) => client.Channel(id).hangup(),
    originate: async (endpoint, room) => (await client.Channel().originate({ endpoint, app: 'panel', appArgs: room, callerId: 'Desk <500>' })).id,
    destroy: async (room) => { for (const b of await client.bridges.list()) if (b.name === room) await b.destroy(); },
  };
  lines.on('line', (line) => {
    const [name, ...rest] = line.split(' ');
    Promise.resolve().then(() => commands[name](...rest)).then((r) => say('done', name, r || '-'), (e) => say('refused', name, e.message.trim()));
  });
});
lines.on('close', () => process.exit(0));
