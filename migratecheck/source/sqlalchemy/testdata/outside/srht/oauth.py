import sqlalchemy as sa


class UserMixin:
    __tablename__ = "user"
    id = sa.Column(sa.Integer, primary_key=True)
    created = sa.Column(sa.DateTime)
    updated = sa.Column(sa.DateTime)
    username = sa.Column(sa.Unicode)
    email = sa.Column(sa.Unicode)
    user_type = sa.Column(sa.Unicode)
    url = sa.Column(sa.Unicode)
    location = sa.Column(sa.Unicode)
    bio = sa.Column(sa.Unicode)


class ExternalUserMixin(UserMixin):
    token = sa.Column(sa.String)


class ThingMixin:
    __tablename__ = "thing"
    id = sa.Column(sa.Integer, primary_key=True)


class Stamped:
    stamp = sa.Column(sa.DateTime)
