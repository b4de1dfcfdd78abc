# docker build --tag lossctl .
# docker run --rm --volume "$PWD:/data" lossctl eval preds.csv --loss huber
#
# Whoever is to own what is written is named: docker run --user "$(id -u):$(id -g)" ...

FROM python:3.13-bookworm AS built
COPY . /source
RUN python -m pip wheel --no-cache-dir --no-deps --wheel-dir /wheels /source

FROM python:3.13-slim-bookworm
COPY constraints.txt /tmp/
RUN --mount=type=bind,from=built,source=/wheels,target=/wheels \
    python -m pip install --no-cache-dir --constraint /tmp/constraints.txt /wheels/*.whl \
    && rm /tmp/constraints.txt \
    && lossctl --version \
    && useradd --system --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin lossctl
USER 10001
WORKDIR /data
ENTRYPOINT ["lossctl"]
CMD ["--help"]
