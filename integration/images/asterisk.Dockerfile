# The same image as asterisk.sh makes, for machines with an image registry:
#   docker build -t parley-test/asterisk:22 -f asterisk.Dockerfile .
FROM debian:sid-slim
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends asterisk \
 && rm -rf /var/lib/apt/lists/* \
 && asterisk -V | grep -q '^Asterisk 22\.'
CMD ["asterisk", "-f"]
